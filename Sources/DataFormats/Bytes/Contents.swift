// What a file holds once every compression is taken off: told by the bytes, never by the name.
import System
import Text

/// The contents of a file, decompressed where it is compressed, for as long as this object lives.
///
/// A zip archive with one file in it is that file; one with several stays an archive.
final class Contents {
  private(set) var bytes: UnsafeRawBufferPointer
  /// The file, for messages.
  let source: String
  /// The name of the file in the zip archive that was opened, if one was.
  private(set) var memberName: String?
  private let file: FileBytes
  private var owned: OwnedBytes?
  private let early: (any EarlyReader)?

  /// How often a file may be compressed in itself: more than anybody means.
  private static let maximumDepth = 3
  /// Up to this much is taken before it is there: what text usually expands to.
  private static let usualExpansion = 4

  /// - Parameters:
  ///   - path: a file, a pipe, or `-` for standard input.
  ///   - limit: only the first bytes, about so many, are wanted.
  ///   - opensArchives: whether the one file of a zip archive is wanted rather than the archive.
  ///   - early: who reads a compressed text while it comes.
  /// - Throws: as `FileBytes`; `badData` for damaged compressed data, `usage` for more than memory holds.
  init(
    _ path: String, limit: Int = .max, opensArchives: Bool = true, early: (any EarlyReader)? = nil
  ) throws(DistsgdError) {
    file = try FileBytes(path)
    self.early = early
    bytes = file.bytes
    source = sourceName(path)
    var limit = limit
    var depth = 0
    while let compression = Compression(bytes), try open(compression, limit, opensArchives) {
      depth += 1
      guard depth <= Self.maximumDepth else {
        throw DistsgdError(.badData, "\(source) is compressed again and again: decompress it first")
      }
      // Compressed twice: what is within cannot be told from its beginning.
      if limit < .max, Compression(bytes) != nil { (bytes, limit, depth) = (file.bytes, .max, 0) }
    }
  }

  /// Takes one compression off; false where the archive is to stay.
  private func open(
    _ compression: Compression, _ limit: Int, _ opensArchives: Bool
  ) throws(DistsgdError) -> Bool {
    let (expected, overflow) = bytes.count.multipliedReportingOverflow(by: Self.usualExpansion)
    let usual = min(overflow ? limit : expected, limit)
    switch compression {
    case .gzip:
      try replace(by: InflateStream(bytes, format: .gzip, source: source), usual, limit)
    case .other:
      try replace(by: ArchiveStream(bytes, format: .compressed, source: source), usual, limit)
    case .zip:
      let archive = try ZipArchive(bytes, source: source, remedy: "copy or download it again")
      let members = archive.members
      guard opensArchives, members.count == 1, !isForeignArchive(archive.entries.map(\.name)) else {
        return false
      }
      memberName = members[0].name
      let contents = try replace(by: try archive.stream(of: members[0]), min(usual, members[0].size), limit)
      if limit == .max { try archive.requireWhole(members[0], contents) }
    }
    return true
  }

  /// - Returns: the new bytes.
  @discardableResult
  private func replace(
    by stream: some ByteStream, _ expected: Int, _ limit: Int
  ) throws(DistsgdError) -> UnsafeRawBufferPointer {
    // The bytes that the stream reads live until it has ended.
    let next =
      limit < .max
      ? try OwnedBytes(beginning: stream, limit: limit)
      : try OwnedBytes(
        reading: stream, expected: expected, source: source, early: owned == nil ? early : nil)
    owned = next
    bytes = next.bytes
    return bytes
  }
}
