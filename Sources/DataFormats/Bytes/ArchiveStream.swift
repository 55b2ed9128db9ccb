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
    guard let archive = archive_read_new() else {
      throw DistsgdError(.internal, "libarchive cannot start to decompress \(source)")
    }
    self.archive = archive
    switch format {
    case .compressed:
      // One by one: "all" would also start other programs where a library is missing.
      archive_read_support_filter_bzip2(archive)
      archive_read_support_filter_xz(archive)
      archive_read_support_filter_lzma(archive)
      archive_read_support_filter_zstd(archive)
      archive_read_support_filter_lz4(archive)
      archive_read_support_filter_lzip(archive)
      archive_read_support_filter_compress(archive)
      archive_read_support_format_raw(archive)
      archive_read_support_format_empty(archive)
    case .zip:
      archive_read_support_format_zip_seekable(archive)
    }
    guard archive_read_open_memory(archive, input.baseAddress, input.count) == ARCHIVE_OK else {
      throw damaged()
    }
    var entry: OpaquePointer?
    while true {
      let code = archive_read_next_header(archive, &entry)
      if code == ARCHIVE_EOF { isFinished = true }
      if code < ARCHIVE_WARN { throw damaged() }
      guard !isFinished, case .zip(let size) = format, archive_entry_size(entry) != size else { return }
    }
  }

  deinit { archive_read_free(archive) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DistsgdError) -> Int {
    var filled = 0
    while filled < buffer.count, !isFinished {
      let got = archive_read_data(archive, buffer.baseAddress! + filled, buffer.count - filled)
      if got < 0 { throw damaged() }
      if got == 0 { isFinished = true }
      filled += got
    }
    return filled
  }

  private func damaged() -> DistsgdError {
    let reason = archive_error_string(archive).map { String(cString: $0) } ?? "it is not complete"
    // The second is liblzma's word for the same.
    if reason.lowercased().contains("truncated") || reason.hasSuffix("No progress is possible") {
      return DistsgdError(
        .badData, "\(source) ends in the middle of its compressed data: copy or download it again")
    }
    return DistsgdError(
      .badData, "damaged compressed data, \(source) (\(reason)): copy or download it again")
  }
}
