import DataFormats
import Foundation
import System
import TestSupport
import Testing

/// Compressed files are read by what they hold, whatever they are called.
@Suite struct CompressionTests {
  let folder = TemporaryFolder()

  @Test(arguments: ReferenceFiles.compressedNames)
  func everyCompressionIsTheSameTable(name: String) throws {
    let plain = folder.put(ReferenceFiles.compressed("plain"), to: "plain.csv")
    let expected = try loadData(options(plain)).training
    #expect(expected.count == 40)
    for called in ["data.bin", "data.csv", "data.npy", "-ubyte"] {
      let found = try loadData(options(folder.put(ReferenceFiles.compressed(name), to: called))).training
      #expect(found.floats == expected.floats && found.values == expected.values, "\(name) as \(called)")
    }
  }

  @Test(arguments: ReferenceFiles.compressedNames.filter { $0 != "plain" })
  func everyCutIsAnError(name: String) {
    let whole = ReferenceFiles.compressed(name)
    // The first bytes alone say what it is.
    for count in stride(from: 30, to: whole.count, by: max(1, whole.count / 16)) {
      let error = loadError(folder.put(Array(whole[..<count]), to: "cut.csv"))
      #expect(error.code == .badData, "\(count) bytes of \(name): \(error)")
    }
  }

  @Test(arguments: ["gzip", "zlib", "bzip2", "xz", "zstd", "lz4", "zip deflated", "zip bzip2"])
  func damageIsFound(name: String) {
    var bytes = ReferenceFiles.compressed(name)
    // In the middle of the compressed data, which a checksum covers.
    bytes[bytes.count / 2] ^= 0x55
    expectError(.badData, ["damaged", "broken.csv", "again"], folder.put(bytes, to: "broken.csv"))
  }

  @Test func arraysAndImagesAreDecompressed() throws {
    let array = ReferenceFiles.array("float16")
    let inputs = folder.put(gzipped(array), to: "x")
    let targets = folder.put(gzipped(numPyFile("matrix <f4")), to: "y")
    expectError(.badData, ["targets have the shape"], inputs + "," + targets)
    let alone = try loadData(options(inputs) { $0.standardize = false })
    #expect(alone.training.count == 8 && alone.training.featureCount == 2)
    let images = folder.put(
      gzipped(gzipped([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4])), to: "i")
    let labels = folder.put([0, 0, 8, 1, 0, 0, 0, 2, 1, 0], to: "l")
    let loaded = try loadData(options(images + "," + labels))
    #expect(loaded.training.bytes == [1, 2, 3, 4] && loaded.training.labels == [1, 0])
  }

  @Test func zipArchivesOfSeveralFilesAreRefused() {
    expectError(
      .badData, ["zip archive of several files", "unzip"],
      folder.put(ReferenceFiles.foreign("zip of two"), to: "two.zip"))
  }

  private func gzipped(_ bytes: [UInt8]) -> [UInt8] {
    let path = folder.put(bytes, to: "to be compressed")
    defer { unlink(path) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-c", path]
    let pipe = Pipe()
    process.standardOutput = pipe
    do { try process.run() } catch {
      Issue.record("gzip does not start: \(error)")
      return []
    }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Array(data)
  }
}
