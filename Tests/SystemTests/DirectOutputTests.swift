// Files written past the page cache have the same bytes as others, whatever their length.
import DataFormats
import Foundation
import TestSupport
import Testing

@Suite struct DirectOutputTests {
  /// Within a block, at the ends of blocks, and over several of the 4 MiB that are written at once.
  @Test(arguments: [0, 1, 1_000, 1_024, 1_048_550, 1_048_576, 2_500_003])
  func theSameBytes(_ count: Int) throws {
    var random = SplitMix64(state: UInt64(count))
    let values = (0..<count).map { _ in Float(bitPattern: UInt32.random(in: 0...0x7F7F_FFFF, using: &random))
    }
    try withFolder { folder in
      try values.withUnsafeBufferPointer { values in
        let tensor = SafeTensors.View(name: "0.weight", shape: [count], values: values)
        for (name, bypassesCache) in [("cached", false), ("direct", true)] {
          try SafeTensors.write(
            [tensor], metadata: ["a": "b"], to: "\(folder)/\(name)", bypassesCache: bypassesCache)
        }
      }
      let files = try ["cached", "direct"].map {
        try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)"))
      }
      #expect(files[0] == files[1])
      #expect(files[1].count > 4 * count)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).count == 2, "nothing temporary is left")
    }
  }
}
