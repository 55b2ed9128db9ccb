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
  /// What is worth being read early, as expected.
  private static let leastEarly = 4 << 20

  /// - Parameters:
  ///   - path: a file, a pipe, or `-` for standard input.
  ///   - limit: only the first bytes, about so many, are wanted.
  ///   - opensArchives: whether the one file of a zip archive is wanted rather than the archive.
  ///   - early: who may read a long compressed text while it comes; there are no bytes where that succeeds.
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
    let (bytes, source) = (bytes, source)
    switch compression {
    case .gzip:
      try replace(usual, limit) { () throws(DistsgdError) in
        try InflateStream(bytes, format: .gzip, source: source)
      }
    case .other:
      try replace(usual, limit) { () throws(DistsgdError) in
        try ArchiveStream(bytes, format: .compressed, source: source)
      }
    case .zip:
      let archive = try ZipArchive(bytes, source: source, remedy: "copy or download it again")
      let members = archive.members
      guard opensArchives, members.count == 1, !isForeignArchive(archive.entries.map(\.name)) else {
        return false
      }
      memberName = members[0].name
      try replace(min(usual, members[0].size), limit) { () throws(DistsgdError) in
        try archive.stream(of: members[0])
      }
    }
    return true
  }

  /// Reads a stream, which `open` begins, in place of the bytes.
  private func replace(
    _ expected: Int, _ limit: Int, by open: () throws(DistsgdError) -> any ByteStream
  ) throws(DistsgdError) {
    if let early, owned == nil, limit == .max, expected >= Self.leastEarly, early.read(try open()) {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    // The bytes that the stream reads live until it has ended.
    let next =
      limit < .max
      ? try OwnedBytes(beginning: try open(), limit: limit)
      : try OwnedBytes(reading: try open(), expected: expected, source: source)
    owned = next
    bytes = next.bytes
  }
}
