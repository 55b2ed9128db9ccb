import Bench
import Glibc
import System
import Testing

@Suite struct RooflineTests {
  @Test func vectorsByFlags() {
    func vectors(_ flags: String, key: String = "flags\t\t") -> VectorExtension {
      vectorExtension("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n\(key): \(flags)\n\nprocessor\t: 1\n")
    }
    #expect(
      vectors("fpu sse sse2 avx fma avx2 avx512f avx512bw") == VectorExtension(name: "AVX-512", bits: 512))
    #expect(vectors("sse2 avx fma avx2") == VectorExtension(name: "AVX2", bits: 256))
    #expect(vectors("sse2 avx") == VectorExtension(name: "AVX", bits: 256))
    #expect(vectors("fpu sse sse2") == VectorExtension(name: "SSE2", bits: 128))
    #expect(vectors("fp asimd crc32", key: "Features\t") == VectorExtension(name: "NEON", bits: 128))
    #expect(vectorExtension("").bits == 128)
    #expect(cpuModel("model name\t: Some CPU @ 2 GHz\n") == "Some CPU @ 2 GHz")
    #expect(cpuModel("nothing") == nil)
  }

  @Test func cachesOfAFolder() throws {
    var template = Array(("/tmp/distsgd-caches-" + String(repeating: "X", count: 6)).utf8CString)
    let made = template.withUnsafeMutableBufferPointer {
      mkdtemp($0.baseAddress!).map { String(cString: $0) }
    }
    let folder = try #require(made)
    let files = [
      ("1", "Data", "48K", "0"), ("1", "Instruction", "32K", "0"), ("2", "Unified", "1024K", "0,4"),
      ("3", "Unified", "32M", "0-7"),
    ]
    for (index, (level, type, size, shared)) in files.enumerated() {
      let path = "\(folder)/index\(index)"
      mkdir(path, 0o777)
      for (name, text) in [("level", level), ("type", type), ("size", size), ("shared_cpu_list", shared)] {
        let file = try #require(fopen("\(path)/\(name)", "w"))
        fputs(text + "\n", file)
        fclose(file)
      }
    }
    #expect(
      cachesOfSystem(in: folder) == [
        Cache(level: 1, bytes: 48 << 10, sharedBy: 1), Cache(level: 2, bytes: 1 << 20, sharedBy: 2),
        Cache(level: 3, bytes: 32 << 20, sharedBy: 8),
      ])
    #expect(cachesOfSystem(in: folder + "/none") == [])
    for index in files.indices {
      for name in ["level", "type", "size", "shared_cpu_list"] { unlink("\(folder)/index\(index)/\(name)") }
      rmdir("\(folder)/index\(index)")
    }
    rmdir(folder)
  }

  @Test func report() throws {
    var options = RooflineOptions()
    options.sizes = [16, 64]
    options.peakSizes = [128]
    options.samples = 3
    let report = try RooflineBench(options).run()
    #expect(report.levels.last?.level == "DRAM")
    #expect(report.levels.count == max(report.machine.caches.count, 1) + 1)
    for level in report.levels {
      for rate in [level.read, level.copy, level.triad] { #expect(rate.least > 0 && rate.greatest.isFinite) }
      #expect(report.ridge(level) > 0)
    }
    #expect(report.kernels.map(\.size) == [16, 16, 16, 64, 64, 64])
    #expect(report.kernels[0].intensity == 0.25)
    #expect(report.kernels[2].intensity == 16.0 / 6)
    #expect(report.text.contains("FLOP/byte"))
    #expect(report.json.description.contains("\"peakGflops\":{\"median\":"))
    #expect(report.plots[0].plot.svg().contains("DRAM ridge"))
    options.sizes = [0]
    #expect(throws: DistsgdError.self) { try RooflineBench(options).run() }
  }
}
