// Which compression a file has, by its first bytes.

/// How bytes are compressed.
enum Compression: Equatable {
  /// gzip (RFC 1952) and zlib (RFC 1950), which zlib reads.
  case gzip
  /// What libarchive reads: bzip2, xz, lzma, Zstandard, LZ4, lzip and compress.
  case other
  /// A zip archive.
  case zip

  /// nil where the bytes are not compressed.
  init?(_ bytes: UnsafeRawBufferPointer) {
    func begins(_ pattern: [UInt8], at offset: Int = 0) -> Bool {
      bytes.count >= offset + pattern.count && bytes[offset...].starts(with: pattern)
    }
    let isText = bytes.prefix(16).allSatisfy { $0 >= 0x20 && $0 < 0x7F || (9...13).contains($0) }
    guard !isText else { return nil }
    if begins([0x1F, 0x8B]) {
      self = .gzip
    } else if bytes.count >= 2, bytes[0] == 0x78, [0x01, 0x5E, 0x9C, 0xDA].contains(bytes[1]) {
      self = .gzip
    } else if begins([0x50, 0x4B, 3, 4]) || begins([0x50, 0x4B, 5, 6]) {
      self = .zip
    } else if begins([0x42, 0x5A, 0x68]) && (begins(Self.bzip2Block, at: 4) || begins(Self.bzip2End, at: 4)) {
      self = .other
    } else if Self.starts.contains(where: { begins($0) }) || Self.isLZMA(bytes) {
      self = .other
    } else {
      return nil
    }
  }

  /// π and √π, as bzip2 writes them.
  private static let bzip2Block: [UInt8] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]
  private static let bzip2End: [UInt8] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]

  /// lzma's header has no word of its own: the usual properties, a dictionary of a power of two, and a size that may be.
  private static func isLZMA(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 13, bytes[0] == 0x5D, bytes[1] == 0, bytes[2] == 0 else { return false }
    let dictionary = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
    let size = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 5, as: UInt64.self))
    // Nothing writes a dictionary of more than 128 MB, and this much is taken as soon as the header is read.
    return dictionary.nonzeroBitCount <= 2 && dictionary <= 1 << 27 && (size == .max || size < 1 << 40)
  }

  private static let starts: [[UInt8]] =
    [
      [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0],  // xz
      [0x28, 0xB5, 0x2F, 0xFD],  // Zstandard
      [0x04, 0x22, 0x4D, 0x18],  // LZ4
      [0x4C, 0x5A, 0x49, 0x50, 1],  // lzip
      [0x1F, 0x9D],  // compress
    ] + (0x50...0x5F).map { [$0, 0x2A, 0x4D, 0x18] }  // a frame to be skipped, of Zstandard or LZ4
}
