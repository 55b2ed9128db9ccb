// CRC-32C: the check of TensorFlow's records, of iSCSI and of file systems.

/// The remainder by Castagnoli's polynomial 0x1EDC6F41, reflected (RFC 3720, section 12.1 and appendix B.4).
package func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
  var remainder = ~UInt32(0)
  for byte in bytes { remainder = table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)] ^ remainder >> 8 }
  return ~remainder
}

/// The remainders of single bytes.
private let table: [UInt32] = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { remainder, _ in
    remainder & 1 == 0 ? remainder >> 1 : remainder >> 1 ^ 0x82F6_3B78
  }
}
