// Decompression by libarchive: bzip2, xz, Zstandard, LZ4 and their older relatives, and zip's rarer methods.
import CArchive
import System

/// A compressed stream that is read like a file.
final class ArchiveStream: ByteStream {
  enum Format {
    /// One file, compressed.
    case compressed
    /// The file of this size in a zip archive.
    case zip(entrySize: Int)
  }

  private let source: String
  private let stream: OpaquePointer

  /// - Parameters:
  ///   - input: the compressed bytes, which must outlive the stream.
  ///   - source: the file, for messages.
  /// - Throws: `noInput` where there is no libarchive.
  init(_ input: UnsafeRawBufferPointer, format: Format, source: String) throws(DistsgdError) {
    self.source = source
    guard carchive_is_there() != 0 else {
      throw DistsgdError(
        .noInput,
        "\(source) is compressed, and libarchive, which decompresses it, is not on this machine: apt install libarchive-dev, or decompress it first"
      )
    }
    var entrySize = Int64(CARCHIVE_IS_ONE_FILE)
    if case .zip(let size) = format { entrySize = Int64(size) }
    guard let stream = carchive_open(input.baseAddress, input.count, entrySize) else {
      throw DistsgdError(.usage, "no memory to decompress \(source): use a smaller file")
    }
    self.stream = stream
  }

  deinit { carchive_close(stream) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DistsgdError) -> Int {
    var filled = 0
    while filled < buffer.count {
      let got = carchive_read(stream, buffer.baseAddress! + filled, buffer.count - filled)
      if got < 0 { throw damaged() }
      if got == 0 { break }
      filled += got
    }
    return filled
  }

  private func damaged() -> DistsgdError {
    let reason = carchive_error(stream).map { String(cString: $0) } ?? "it is not complete"
    // The second is liblzma's word for the same.
    if reason.lowercased().contains("truncated") || reason.hasSuffix("No progress is possible") {
      return DistsgdError(
        .badData, "\(source) ends in the middle of its compressed data: copy or download it again")
    }
    return DistsgdError(
      .badData, "damaged compressed data, \(source) (\(reason)): copy or download it again")
  }
}
