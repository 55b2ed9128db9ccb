// What a file is, told by the bytes that it holds when every compression is taken off.
import System
import Text

/// A kind of file that is read.
enum FileKind {
  case table
  /// A NumPy array; the name that it has in the zip archive around it, if there is one.
  case array(member: String?)
  case archive
  /// IDX.
  case images
  /// PNG or JPEG.
  case picture

  /// Bytes of a file that are looked at.
  static let startSize = 1 << 14

  /// - Throws: `badData` for a kind that is not read, with the way to one that is.
  init(of path: String) throws(DistsgdError) {
    self = try FileKind(try Contents(path, limit: FileKind.startSize), path: path)
  }

  /// - Parameters:
  ///   - contents: the file's, or their beginning.
  ///   - path: its name, which decides only what damaged and empty files are said to be.
  init(_ contents: Contents, path: String) throws(DistsgdError) {
    let bytes = contents.bytes
    if bytes.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) {
      self = .array(member: contents.memberName)
    } else if Compression(bytes) == .zip {
      let archive = try ZipArchive(bytes, source: contents.source)
      let names = archive.entries.map(\.name)
      if let foreign = foreignArchive(names) { throw foreign.error(path: path) }
      guard names.isEmpty || names.contains(where: { $0.hasSuffix(".npy") }) else {
        throw ForeignFile.archive.error(path: path)
      }
      self = .archive
    } else if bytes.count >= 4, bytes[0] == 0, bytes[1] == 0, bytes[2] != 0, 1...8 ~= bytes[3] {
      self = .images
    } else if PictureFormat(bytes) != nil {
      self = .picture
    } else if let foreign = foreignFile(bytes) {
      throw foreign.error(path: path)
    } else if bytes.isEmpty || isBinary(bytes), let kind = FileKind(name: path) {
      // Its reader says what is wrong with it.
      self = kind
    } else if isBinary(bytes) {
      throw ForeignFile.binary.error(path: path)
    } else {
      self = .table
    }
  }

  /// What a name promises.
  private init?(name path: String) {
    var name = baseName(path).lowercased()
    for ending in [".gz", ".xz", ".bz2", ".zst", ".lz4"] where name.hasSuffix(ending) {
      name.removeLast(ending.count)
    }
    if name.hasSuffix(".npy") {
      self = .array(member: nil)
    } else if name.hasSuffix(".npz") {
      self = .archive
    } else if name.hasSuffix("-ubyte") || name.hasSuffix(".idx") {
      self = .images
    } else {
      return nil
    }
  }
}
