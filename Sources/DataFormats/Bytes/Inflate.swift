// Decompression with zlib, a piece at a time, so that nothing is allocated that the caller did not ask for.
import CZlib
import System
import Text

/// A compressed stream that is read like a file.
final class InflateStream: ByteStream {
  enum Format: Int32 {
    /// One or more gzip members, or a zlib stream.
    case gzip = 47
    /// Raw deflate data, as in a zip archive.
    case deflate = -15
  }

  /// Deflate cannot expand its input by more than this (258 bytes in two bits, and a little).
  static let maximumExpansion = 1032
  /// Up to this much is allocated before it is there.
  private static let usualExpansion = 16

  private let source: String
  private let format: Format
  private let stream: UnsafeMutablePointer<z_stream>
  private var input: UnsafeRawBufferPointer
  private var isFinished = false

  /// - Parameters:
  ///   - input: the compressed bytes, which must outlive the stream.
  ///   - source: the file, for messages.
  init(_ input: UnsafeRawBufferPointer, format: Format, source: String) throws(DistsgdError) {
    self.input = input
    self.format = format
    self.source = source
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard zlib_inflate_init(stream, format.rawValue) == Z_OK else {
      throw DistsgdError(.internal, "zlib cannot start to decompress \(source)")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
  }

  /// Fills the buffer as far as the stream reaches; returns how many bytes that is.
  ///
  /// - Throws: `badData` for a damaged stream, or one that ends too early.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DistsgdError) -> Int {
    var filled = 0
    while filled < buffer.count, !isFinished {
      // zlib counts in 32 bits.
      let offered = min(input.count, 1 << 30)
      let room = min(buffer.count - filled, 1 << 30)
      stream.pointee.next_in = input.bindMemory(to: UInt8.self).baseAddress.map {
        UnsafeMutablePointer(mutating: $0)
      }
      stream.pointee.avail_in = UInt32(offered)
      stream.pointee.next_out = buffer.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) + filled }
      stream.pointee.avail_out = UInt32(room)
      let code = inflate(stream, Z_NO_FLUSH)
      let consumed = offered - Int(stream.pointee.avail_in)
      let produced = room - Int(stream.pointee.avail_out)
      input = UnsafeRawBufferPointer(rebasing: input[consumed...])
      filled += produced
      switch code {
      case Z_OK where consumed > 0 || produced > 0: continue
      case Z_STREAM_END: try endMember()
      case Z_OK, Z_BUF_ERROR:
        throw DistsgdError(
          .badData, "\(source) ends in the middle of its compressed data: copy or download it again")
      default:
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "code \(code)"
        throw DistsgdError(
          .badData, "damaged compressed data, \(source) (\(reason)): copy or download it again")
      }
    }
    return filled
  }

  /// Up to `count` bytes, in memory that grows with what has been decompressed: what images and arrays
  /// usually expand to is taken at once, and a claim beyond that is believed as far as it has come true.
  ///
  /// - Throws: also `usage` when the bytes do not fit this machine's memory.
  func read(count: Int) throws(DistsgdError) -> [UInt8] {
    let usual = input.count.multipliedReportingOverflow(by: InflateStream.usualExpansion)
    try requireMemory(bytes: Double(count), for: source)
    var result: [UInt8] = []
    result.reserveCapacity(min(count, usual.overflow ? count : usual.partialValue))
    let chunk = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(max(count, 1), 1 << 18), alignment: 16)
    defer { chunk.deallocate() }
    while result.count < count {
      let want = min(chunk.count, count - result.count)
      let got = try read(into: UnsafeMutableRawBufferPointer(rebasing: chunk[..<want]))
      result.append(contentsOf: chunk[..<got])
      if got < want { break }
      if result.count == result.capacity, result.count < count {
        // The old and the new memory are there together for a moment.
        let larger = min(2 * result.count, count)
        try requireMemory(bytes: Double(larger), for: source)
        result.reserveCapacity(larger)
      }
    }
    return result
  }

  /// Whether nothing follows what has been read.
  func isAtEnd() throws(DistsgdError) -> Bool {
    try read(count: 1).isEmpty
  }

  /// After a gzip member another may follow, and nothing else.
  private func endMember() throws(DistsgdError) {
    guard format == .gzip, !input.isEmpty else {
      isFinished = true
      return
    }
    guard input.count >= 2, input[0] == 0x1F, input[1] == 0x8B else {
      throw DistsgdError(
        .badData, "\(counted(input.count, "byte")) after the end of the gzip data, \(source): expected none")
    }
    inflateReset(stream)
  }
}

/// CRC-32 as in gzip and zip.
/// - Parameter before: that of the bytes before these.
func crc32(of bytes: UnsafeRawBufferPointer, after before: UInt32 = 0) -> UInt32 {
  var crc = UInt(before)
  var rest = bytes
  while !rest.isEmpty {
    let part = min(rest.count, 1 << 30)
    crc = CZlib.crc32(crc, rest.bindMemory(to: UInt8.self).baseAddress, UInt32(part))
    rest = UnsafeRawBufferPointer(rebasing: rest[part...])
  }
  return UInt32(truncatingIfNeeded: crc)
}
