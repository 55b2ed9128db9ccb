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
  private let archive: OpaquePointer
  private var isFinished = false

  /// - Parameters:
  ///   - input: the compressed bytes, which must outlive the stream.
  ///   - source: the file, for messages.
  /// - Throws: `badData` when no format is recognised.
  init(_ input: UnsafeRawBufferPointer, format: Format, source: String) throws(DistsgdError) {
    self.source = source
    let isZip = if case .zip = format { true } else { false }
    guard let archive = carchive_new(isZip) else {
      throw DistsgdError(
        .noInput,
        "\(source) is compressed, and libarchive, which decompresses it, cannot be loaded: install libarchive13, or decompress the file first"
      )
    }
    self.archive = archive
    guard carchive_open_memory(archive, input.baseAddress, input.count) == ARCHIVE_OK else {
      throw damaged()
    }
    var entry: OpaquePointer?
    while true {
      let code = carchive_next_header(archive, &entry)
      if code == ARCHIVE_EOF { isFinished = true }
      if code < ARCHIVE_WARN { throw damaged() }
      guard !isFinished, case .zip(let size) = format, carchive_entry_size(entry) != size else { return }
    }
  }

  deinit { carchive_free(archive) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DistsgdError) -> Int {
    var filled = 0
    while filled < buffer.count, !isFinished {
      let got = carchive_read_data(archive, buffer.baseAddress! + filled, buffer.count - filled)
      if got < 0 { throw damaged() }
      if got == 0 { isFinished = true }
      filled += got
    }
    return filled
  }

  private func damaged() -> DistsgdError {
    let reason = carchive_error_string(archive).map { String(cString: $0) } ?? "it is not complete"
    // The second is liblzma's word for the same.
    if reason.lowercased().contains("truncated") || reason.hasSuffix("No progress is possible") {
      return DistsgdError(
        .badData, "\(source) ends in the middle of its compressed data: copy or download it again")
    }
    return DistsgdError(
      .badData, "damaged compressed data, \(source) (\(reason)): copy or download it again")
  }
}
