// SHA-1 (FIPS 180-4, section 6.1): recognises a downloaded file; no protection against forgers.

/// The SHA-1 digest of the bytes as 40 lower-case hexadecimal digits.
package func sha1(_ message: UnsafeRawBufferPointer) -> String {
  var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
  let wholeBlocks = message.count / 64
  for block in 0..<wholeBlocks {
    compress(&state, UnsafeRawBufferPointer(rebasing: message[block * 64..<(block + 1) * 64]))
  }
  // Section 5.1.1: a one bit, zeros, and the length in bits as 64-bit big-endian.
  var tail = Array(message[(wholeBlocks * 64)...])
  tail.append(0x80)
  while tail.count % 64 != 56 { tail.append(0) }
  let bits = UInt64(message.count) * 8
  for shift in stride(from: 56, through: 0, by: -8) { tail.append(UInt8(truncatingIfNeeded: bits >> shift)) }
  tail.withUnsafeBytes { bytes in
    for start in stride(from: 0, to: bytes.count, by: 64) {
      compress(&state, UnsafeRawBufferPointer(rebasing: bytes[start..<start + 64]))
    }
  }
  let digits = Array("0123456789abcdef")
  var text = ""
  for word in state {
    for shift in stride(from: 28, through: 0, by: -4) { text.append(digits[Int(word >> UInt32(shift) & 15)]) }
  }
  return text
}

/// Section 6.1.2: one block of 64 bytes into the state of five words.
private func compress(_ state: inout [UInt32], _ block: UnsafeRawBufferPointer) {
  var w = [UInt32](repeating: 0, count: 80)
  for t in 0..<16 { w[t] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: t * 4, as: UInt32.self)) }
  for t in 16..<80 { w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1) }
  var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
  for t in 0..<80 {
    let (f, k): (UInt32, UInt32)
    switch t {
    case ..<20: (f, k) = ((b & c) ^ (~b & d), 0x5A82_7999)
    case ..<40: (f, k) = (b ^ c ^ d, 0x6ED9_EBA1)
    case ..<60: (f, k) = ((b & c) ^ (b & d) ^ (c & d), 0x8F1B_BCDC)
    default: (f, k) = (b ^ c ^ d, 0xCA62_C1D6)
    }
    let next = rotate(a, 5) &+ f &+ e &+ k &+ w[t]
    (e, d, c, b, a) = (d, c, rotate(b, 30), a, next)
  }
  state[0] &+= a
  state[1] &+= b
  state[2] &+= c
  state[3] &+= d
  state[4] &+= e
}

private func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
  word << count | word >> (32 - count)
}
