// XXH64, the 64-bit hash that names a model's parameters: two runs agree when these 16 digits do.

/// The XXH64 hash of `bytes`, as the xxHash specification 0.1.1 by Yann Collet defines it.
///
/// The result does not depend on the machine's byte order or on how the bytes are aligned. One pass,
/// 32 bytes a turn in four independent lanes: several GB/s.
/// - Parameter willRead: called with the bytes that are read next, 16 MB or what is left.
package func xxh64(
  _ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0, willRead: (Range<Int>) -> Void = { _ in }
) -> UInt64 {
  let count = bytes.count
  var hash = seed &+ prime5
  var offset = 0

  if let base = bytes.baseAddress {
    if count >= 32 {
      var lane1 = seed &+ prime1 &+ prime2
      var lane2 = seed &+ prime2
      var lane3 = seed
      var lane4 = seed &- prime1
      while offset <= count - 32 {
        let end = min(count - 31, offset + (16 << 20))
        willRead(offset..<min(count, offset + (16 << 20)))
        while offset < end {
          lane1 = round(lane1, word64(base, offset))
          lane2 = round(lane2, word64(base, offset + 8))
          lane3 = round(lane3, word64(base, offset + 16))
          lane4 = round(lane4, word64(base, offset + 24))
          offset += 32
        }
      }
      hash =
        rotateLeft(lane1, 1) &+ rotateLeft(lane2, 7) &+ rotateLeft(lane3, 12) &+ rotateLeft(lane4, 18)
      for lane in [lane1, lane2, lane3, lane4] {
        hash = (hash ^ round(0, lane)) &* prime1 &+ prime4
      }
    }
    hash &+= UInt64(count)

    // What is left, at most 31 bytes: by eight, then by four, then one by one.
    while offset <= count - 8 {
      hash = rotateLeft(hash ^ round(0, word64(base, offset)), 27) &* prime1 &+ prime4
      offset += 8
    }
    if offset <= count - 4 {
      let word = UInt64(UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      hash = rotateLeft(hash ^ (word &* prime1), 23) &* prime2 &+ prime3
      offset += 4
    }
    while offset < count {
      let byte = UInt64(base.load(fromByteOffset: offset, as: UInt8.self))
      hash = rotateLeft(hash ^ (byte &* prime5), 11) &* prime1
      offset += 1
    }
  }

  hash = (hash ^ (hash >> 33)) &* prime2
  hash = (hash ^ (hash >> 29)) &* prime3
  return hash ^ (hash >> 32)
}

private let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
private let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
private let prime3: UInt64 = 0x1656_67B1_9E37_79F9
private let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
private let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

@inline(__always)
private func rotateLeft(_ value: UInt64, _ bits: UInt64) -> UInt64 {
  (value &<< bits) | (value &>> (64 - bits))
}

/// One lane takes in eight bytes.
@inline(__always)
private func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
  rotateLeft(lane &+ (word &* prime2), 31) &* prime1
}

@inline(__always)
private func word64(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
  UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
}
