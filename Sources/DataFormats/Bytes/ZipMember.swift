// The one file of a zip archive that holds one: how tables are sent about.
import System
import Text

extension ZipArchive {
  /// The entries that are files of the user's: no folders, and nothing that file managers leave.
  var members: [Entry] {
    entries.filter { entry in
      !entry.name.hasSuffix("/") && !entry.name.hasPrefix("__MACOSX/")
        && !entry.name.split(separator: "/").contains { $0.hasPrefix(".") }
    }
  }

  /// A stream of an entry's contents, which at its end throws `badData` where they are not those that were put into the
  /// archive.
  func stream(of entry: Entry) throws(DistsgdError) -> any ByteStream {
    let name = "\(source)/\(printable(entry.name))"
    let contents: any ByteStream =
      switch entry.method {
      case 0: StoredStream(rest: try data(of: entry))
      case 8: try InflateStream(try data(of: entry), format: .deflate, source: name)
      default: try ArchiveStream(bytes, format: .zip(entrySize: entry.size), source: name)
      }
    return CheckedStream(contents, entry, of: self)
  }
}

/// An entry's contents, whose size and checksum are looked at when they end.
private final class CheckedStream: ByteStream {
  private let contents: any ByteStream
  private let entry: ZipArchive.Entry
  private let archive: ZipArchive
  private var count = 0
  private var checksum: UInt32 = 0

  init(_ contents: any ByteStream, _ entry: ZipArchive.Entry, of archive: ZipArchive) {
    (self.contents, self.entry, self.archive) = (contents, entry, archive)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DistsgdError) -> Int {
    let got = try contents.read(into: buffer)
    count += got
    checksum = crc32(of: UnsafeRawBufferPointer(rebasing: buffer[..<got]), after: checksum)
    if got < buffer.count {
      guard count == entry.size else { throw archive.damaged("the size of \(printable(entry.name))") }
      guard checksum == entry.crc else { throw archive.damaged("the checksum of \(printable(entry.name))") }
    }
    return got
  }
}

/// Bytes that are not compressed.
private final class StoredStream: ByteStream {
  private var rest: UnsafeRawBufferPointer

  init(rest: UnsafeRawBufferPointer) { self.rest = rest }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DistsgdError) -> Int {
    let count = min(buffer.count, rest.count)
    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    return count
  }
}
