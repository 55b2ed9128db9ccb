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

  /// A stream of an entry's contents, which are checked by `requireWhole` when all are read.
  func stream(of entry: Entry) throws(DistsgdError) -> any ByteStream {
    let name = "\(source)/\(printable(entry.name))"
    switch entry.method {
    case 0: return StoredStream(rest: try data(of: entry))
    case 8: return try InflateStream(try data(of: entry), format: .deflate, source: name)
    default: return try ArchiveStream(bytes, format: .zip(entrySize: entry.size), source: name)
    }
  }

  /// - Throws: `badData` when contents are not those that were put into the archive.
  func requireWhole(_ entry: Entry, _ contents: UnsafeRawBufferPointer) throws(DistsgdError) {
    guard contents.count == entry.size else { throw damaged("the size of \(printable(entry.name))") }
    guard crc32(of: contents) == entry.crc else { throw damaged("the checksum of \(printable(entry.name))") }
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
