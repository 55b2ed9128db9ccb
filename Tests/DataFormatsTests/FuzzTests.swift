import DataFormats
import Foundation
import RandomNumbers
import TestSupport
import Testing

/// Damaged files of every kind end in data or in a DistsgdError: never a trap, a hang, or a huge allocation.
@Suite struct FuzzTests {
  private static let iterations = 2500

  private static var seeds: [(name: String, files: [[UInt8]])] {
    let images = idx([3, 2, 2], Array(0..<12))
    let labels = idx([3], [2, 0, 1])
    return [
      ("csv", [Array("a,\"b \"\"q\"\"\",c\r\n1,2.5,3e-1\n\"4\",5,6\n\n-7,8.25,90000\n".utf8)]),
      ("dat", [Array("1 2\t3\n  4 5.123456789012345678 6\n".utf8)]),
      ("npy", [npy("<f4", [2, 3], littleEndian([1, 2, 3, 4, 5, 6]), fortran: true)]),
      ("npy pair", [npy("|u1", [2, 3], [1, 2, 3, 4, 5, 6]), npy("<i2", [2], [1, 0, 0, 0])]),
      ("npz", [numPyFile("npz stored")]), ("npz deflated", [numPyFile("npz deflated")]),
      ("idx", [images, labels]), ("idx.gz", [gzip(images), gzip(labels)]),
    ]
  }

  @Test(arguments: 0..<8)
  func mutated(seed: Int) throws {
    let (name, files) = FuzzTests.seeds[seed]
    let folder = TemporaryFolder()
    let random = Philox(seed: UInt64(seed), purpose: .syntheticData)
    var loaded = 0
    let before = peakKilobytes()
    for iteration in 0..<FuzzTests.iterations {
      let damaged = iteration % files.count
      let paths = files.indices.map { index in
        let bytes =
          index == damaged ? files[index].damaged(random, UInt64(iteration)) : files[index]
        return folder.put(bytes, to: "\(index).\(name.prefix(3))")
      }
      do {
        let data = try loadData(
          options(paths.joined(separator: ",")) {
            if iteration % 3 == 0 { $0.task = .classification }
            if iteration % 5 == 0 { $0.standardize = false }
            if iteration % 4 == 0, files.count == 1, !name.hasPrefix("npz") {
              ($0.features, $0.target) = (["3", "2"], "1")
            }
          })
        loaded += 1
        #expect(data.training.floats.count == data.training.count * data.training.featureCount)
      } catch {
        #expect(!error.description.contains("\n"))
      }
    }
    #expect(loaded > 0 && loaded < FuzzTests.iterations, "\(name): \(loaded) loaded")
    // Other suites run beside this one, and an address sanitizer keeps 256 MB; a believed header takes more.
    #expect(peakKilobytes() - before < 1_000_000, "\(name): memory")
  }

  private func peakKilobytes() -> Int {
    var usage = rusage()
    // 0 is RUSAGE_SELF, whose type differs between C libraries.
    getrusage(0, &usage)
    return Int(usage.ru_maxrss)
  }
}
