import System
import Testing

@Suite struct XXH64Tests {
  /// (bytes, hash, hash with the seed below): made by Tests/Reference/make_xxh64.py with the reference library.
  static let knownAnswers: [(count: Int, unseeded: UInt64, seeded: UInt64)] = [
    (0, 0xef46db3751d8e999, 0x0b303d920ec349df),
    (1, 0x2078e1ad38ad738b, 0x5e9b67209c37ccb3),
    (3, 0x634d95fc01a189cd, 0x459254a84ea6daad),
    (4, 0xeed340908a1ac6c6, 0x11f83acc8c7634c8),
    (5, 0x342bd7a5f3e2edcd, 0x0ac85f4351847a4d),
    (7, 0x0da493621d6dc898, 0x51bdfb149c43721f),
    (8, 0x76f916c7bb523126, 0x8ab1e705b4daa02e),
    (12, 0xfb52f89a1dc449d2, 0x71ad2f7d6951c5d6),
    (15, 0x4e1c333b057fb6a4, 0x1c33de16cdbdb2ac),
    (16, 0x7bbeff67699312f6, 0x3781e2f8c40d5532),
    (31, 0x65c5feb01da7464d, 0x2a25ac86e09959cd),
    (32, 0x7665c921c9bf2ec7, 0x361c314b9c134315),
    (33, 0xb5a9d9ef259ae821, 0xfd354cb42b5d3640),
    (39, 0xe2148dbbc5ab4089, 0xa0790364f15bab16),
    (63, 0xb0289cd9324034f0, 0xe4fba3cd44153268),
    (64, 0xfff2525c99bf2005, 0x2363e1ed1cb3ab39),
    (100, 0x74e502db362efd4c, 0xc71a810074703f50),
    (1000, 0x626443c8029d0542, 0xd5fc00d14663abbf),
    (4099, 0x14d82cbc0385cc86, 0x5b8b74fffbdce727),
  ]
  static let seed: UInt64 = 0x9e37_79b1_85eb_ca8d

  /// The lengths take every path: stripes of 32 bytes, words of 8 and 4, and single bytes.
  @Test(arguments: knownAnswers)
  func knownAnswer(_ answer: (count: Int, unseeded: UInt64, seeded: UInt64)) {
    let bytes = (0..<answer.count).map { UInt8(truncatingIfNeeded: $0 * 167 + 13) }
    bytes.withUnsafeBytes {
      #expect(xxh64($0) == answer.unseeded)
      #expect(xxh64($0, seed: XXH64Tests.seed) == answer.seeded)
    }
  }

  @Test func alignmentDoesNotMatter() {
    let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 * 167 + 13) }
    for shift in 0..<9 {
      (Array(repeating: 0, count: shift) + bytes).withUnsafeBytes {
        #expect(xxh64(UnsafeRawBufferPointer(rebasing: $0[shift...])) == 0x74e5_02db_362e_fd4c)
      }
    }
  }

  /// More than is read in one go; the value is python-xxhash's.
  @Test func severalBlocks() {
    let bytes = (0..<40_000_003).map { UInt8(truncatingIfNeeded: $0 * 7 + ($0 >> 9)) }
    var announced: [Range<Int>] = []
    bytes.withUnsafeBytes {
      #expect(xxh64($0, seed: 1) { announced.append($0) } == 0x19cd_9214_49c1_201b)
    }
    #expect(announced == [0..<16 << 20, 16 << 20..<32 << 20, 32 << 20..<40_000_003])
  }

  @Test func nothingAtAll() {
    #expect(xxh64(UnsafeRawBufferPointer(start: nil, count: 0)) == 0xef46_db37_51d8_e999)
  }
}
