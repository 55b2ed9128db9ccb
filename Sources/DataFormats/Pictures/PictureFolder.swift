// Folders of images, a folder a class: which files there are, in an order that is the same everywhere.
import Glibc
import System
import Text

/// Image files, and the classes that their folders say.
struct PictureList {
  var paths: [String] = []
  /// The place of each file's class among the names; nil where there are no class folders.
  var classes: [Int]?
  /// Folders' names, in the order of their bytes.
  var classNames: [String] = []
}

/// What is read of images.
enum PictureSource: Equatable {
  case file(String)
  case folder(String, ArchivePart)

  var path: String {
    switch self {
    case .file(let path), .folder(let path, _): path
    }
  }

  private static let trainingNames = ["train", "training"]
  private static let testNames = ["test", "testing", "val", "valid", "validation"]

  /// Finds the files.
  ///
  /// - Parameter needsClasses: whether a folder without class folders is an error; if not, it is new images, and
  ///   of a folder with a test part that part is taken.
  /// - Throws: `noInput`, `badData`, or `usage` when there is no test part.
  func list(needsClasses: Bool) throws(DistsgdError) -> PictureList {
    guard case .folder(let path, let part) = self else { return PictureList(paths: [path]) }
    let entries = try Folder(path)
    var root = entries
    // A class may be called "train" as well: a part has folders in it.
    if let training = try entries.part(Self.trainingNames) {
      let test = try entries.part(Self.testNames)
      switch part {
      case .training: root = needsClasses ? training : test ?? training
      case .test:
        guard let test else { throw noTest(path) }
        root = test
      }
    } else if part == .test {
      throw noTest(path)
    }
    return try root.list(needsClasses: needsClasses)
  }

  private func noTest(_ path: String) -> DistsgdError {
    DistsgdError(
      .usage,
      "--validation test: \(sourceName(path)) has no test split, the folders train and test (or val) with a folder for every class in each; give a fraction such as 0.2, or another folder"
    )
  }
}

/// What a folder holds, in the order of the names' bytes, without what is hidden.
private struct Folder {
  let path: String
  var files: [String] = []
  var folders: [String] = []

  /// How deep folders may lie in each other: links may go round.
  private static let maximumDepth = 16

  init(_ path: String) throws(DistsgdError) {
    self.path = path
    guard let stream = opendir(path) else {
      throw DistsgdError(.noInput, "cannot open the folder \(sourceName(path)): \(errorText(errno))")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let bytes = withUnsafeBytes(of: entry.pointee.d_name) { raw in Array(raw.prefix { $0 != 0 }) }
      // Hidden files, and what Windows leaves beside images.
      guard bytes.first != UInt8(ascii: ".") else { continue }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        throw DistsgdError(
          .badData,
          "a file's name in \(sourceName(path)) is no UTF-8 ('\(printable(String(decoding: bytes, as: UTF8.self)))'): rename it"
        )
      }
      if !["thumbs.db", "desktop.ini"].contains(name.lowercased()) { names.append(name) }
    }
    for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      switch pathKind("\(path)/\(name)") {
      case .directory: folders.append(name)
      case .file: files.append(name)
      case .missing, .other:
        throw DistsgdError(
          .badData, "\(sourceName("\(path)/\(name)")) is no file that can be read: move it away")
      }
    }
  }

  /// The subfolder that is a part of the data: it has one of these names, and folders in it.
  func part(_ names: [String]) throws(DistsgdError) -> Folder? {
    for wanted in names {
      guard let name = folders.first(where: { $0.lowercased() == wanted }) else { continue }
      let folder = try Folder("\(path)/\(name)")
      if !folder.folders.isEmpty || folder.files.contains(where: { isPicture("\(folder.path)/\($0)") }) {
        return folder
      }
    }
    return nil
  }

  func list(needsClasses: Bool) throws(DistsgdError) -> PictureList {
    // A list of names or a licence may lie beside the class folders; an image would have no class.
    let loose = folders.isEmpty ? files : files.filter { isPicture("\(path)/\($0)") }
    if let image = loose.first(where: { isPicture("\(path)/\($0)") }), needsClasses || !folders.isEmpty {
      throw DistsgdError(
        .badData,
        "\(sourceName("\(path)/\(image)")) lies in no class's folder: put the images of every class into a folder of its name"
      )
    }
    guard loose.isEmpty || !needsClasses else { throw empty() }
    var result = PictureList()
    if folders.isEmpty {
      result.paths = files.map { "\(path)/\($0)" }
    } else {
      var classes: [Int] = []
      for (number, name) in folders.enumerated() {
        let before = result.paths.count
        try Folder("\(path)/\(name)").collect(into: &result.paths, depth: 1)
        guard result.paths.count > before || !needsClasses else {
          throw DistsgdError(
            .badData, "the class folder \(sourceName("\(path)/\(name)")) has no images: fill it, or remove it"
          )
        }
        classes += [Int](repeating: number, count: result.paths.count - before)
      }
      result.classes = classes
      result.classNames = folders
    }
    guard !result.paths.isEmpty else { throw empty() }
    return result
  }

  private func empty() -> DistsgdError {
    DistsgdError(
      .noInput,
      "\(sourceName(path)) is a folder without images: name a file in it, or a folder that has a folder of PNG or JPEG files for every class"
    )
  }

  /// All files in it and in its folders.
  private func collect(into paths: inout [String], depth: Int) throws(DistsgdError) {
    guard depth <= Self.maximumDepth else {
      throw DistsgdError(
        .badData, "folders lie in each other \(depth) deep, \(sourceName(path)): a link goes round; remove it"
      )
    }
    paths += files.map { "\(path)/\($0)" }
    for name in folders { try Folder("\(path)/\(name)").collect(into: &paths, depth: depth + 1) }
  }

  private func isPicture(_ path: String) -> Bool {
    guard let start = try? firstBytes(of: path, count: 16) else { return false }
    return start.withUnsafeBytes { PictureFormat($0) != nil }
  }
}
