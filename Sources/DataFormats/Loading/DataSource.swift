// What `--data` or `--validation` names: a built-in set, or files of one of the formats.
import System
import Text

enum DataSource: Equatable {
  case airfoilLike
  case airfoil
  case fashionMNIST(test: Bool)
  case synthetic(rows: Int, columns: Int)
  case table(String)
  case array(String)
  case arrayPair(inputs: String, targets: String)
  case archive(String, ArchivePart)
  case images(String, labels: String?)
  case pictures(PictureSource)
  /// What can be read only once, and so tells its kind only when it is read: `-`, or a pipe.
  case stream(String)

  /// A named set whose targets are no classes.
  var isRegression: Bool {
    switch self {
    case .airfoilLike, .airfoil, .synthetic: true
    default: false
    }
  }

  /// - Parameter flag: the option that the text was given to, for messages.
  /// - Throws: `usage` for a name that is neither a set nor looks like a path, `noInput` for files that are not
  ///   there, `badData` for files of a kind that is not read.
  init(_ text: String, flag: String) throws(DistsgdError) {
    switch text {
    case "airfoil-like": self = .airfoilLike
    case "airfoil": self = .airfoil
    case "fashion-mnist": self = .fashionMNIST(test: false)
    case _ where text == "synthetic" || text.hasPrefix("synthetic:"):
      self = try DataSource.synthetic(text, flag: flag)
    default: self = try DataSource.files(text, flag: flag)
    }
  }

  private static func synthetic(_ text: String, flag: String) throws(DistsgdError) -> DataSource {
    let parts = text.dropFirst("synthetic:".count).split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count == 2, let rows = Int(parts[0]), let columns = Int(parts[1]), rows >= 1, columns >= 1
    else {
      throw DistsgdError(
        .usage,
        "\(flag) \(printable(text)): give rows and features, both at least 1, as in synthetic:1000,20")
    }
    return .synthetic(rows: rows, columns: columns)
  }

  private static func files(_ text: String, flag: String) throws(DistsgdError) -> DataSource {
    if text == standardInputPath { return .stream(text) }
    if pathKind(text) != .missing { return try file(text) }
    if let comma = text.firstIndex(of: ",") {
      let first = String(text[..<comma])
      let second = String(text[text.index(after: comma)...])
      for path in [first, second] where pathKind(path) == .missing {
        throw DistsgdError(
          .noInput,
          "no such file: '\(printable(path, limit: 200))', \(flag): give inputs,targets as two existing files"
        )
      }
      switch (try FileKind(of: first), try FileKind(of: second)) {
      case (.array, .array): return .arrayPair(inputs: first, targets: second)
      case (.images, .images): return .images(first, labels: second)
      default:
        throw DistsgdError(
          .badData,
          "\(printable(text, limit: 200)) is no pair of arrays, \(flag): two files must both be .npy (inputs,targets) or both IDX (images,labels)"
        )
      }
    }
    let looksLikePath = text.contains("/") || fileExtension(text) != nil
    guard !looksLikePath else {
      throw DistsgdError(
        .noInput,
        "no such file: '\(printable(text, limit: 200))', \(flag): give an existing file, or one of \(dataSetList)"
      )
    }
    let names = namedDataSets.map(\.name)
    throw DistsgdError(
      .usage,
      "unknown data set '\(printable(text))', \(flag): \(suggestion(for: text, among: names))give one of \(dataSetList), or a file"
    )
  }

  /// Tells a file's kind by its first bytes; text is a table.
  private static func file(_ path: String) throws(DistsgdError) -> DataSource {
    switch pathKind(path) {
    case .directory: return .pictures(.folder(path, .training))
    case .other: return .stream(path)
    default: return DataSource(try FileKind(of: path), path)
    }
  }

  /// A file of a known kind.
  private init(_ kind: FileKind, _ path: String) {
    switch kind {
    case .table: self = .table(path)
    // An archive of inputs alone lacks its targets; under another name the array is a table.
    case .array(let member?) where ArrayNames.areInputs(member): self = .archive(path, .training)
    case .array: self = .array(path)
    case .archive: self = .archive(path, .training)
    case .images: self = .images(path, labels: nil)
    case .picture: self = .pictures(.file(path))
    }
  }

  /// What follows the name's last dot, `.gz` with what stands before it; `nil` for other endings.
  private static func fileExtension(_ path: String) -> String? {
    let known = ["csv", "tsv", "dat", "txt", "npy", "npz", "gz", "idx"]
    let parts = baseName(path).lowercased().split(separator: ".")
    guard parts.count >= 2, let last = parts.last, known.contains(String(last)) else { return nil }
    if last == "gz", parts.count >= 3 { return "\(parts[parts.count - 2]).gz" }
    return String(last)
  }
}

/// What to read from a source.
struct ReadRequest {
  var columns: ColumnRequest
  var header = HeaderChoice.auto
  var missing = MissingWords()
  var takesDates = false
  /// Where a table's numbers are.
  var cacheFile = CacheFileChoice.no
  var needsTargets = true
  /// Whether large inputs may stay in their file, because they are taken as they lie in it.
  var maps = false
  /// What images are made to be.
  var pictures = PictureRequest()
  var seed: UInt64 = 0
  /// Where environment variables come from.
  var environment: (String) -> String? = environmentValue
  /// Where Fashion-MNIST is looked for last.
  var systemFolder = fashionSystemFolder

  /// How a table is read.
  fileprivate var table: TableOptions {
    TableOptions(
      columns: columns, header: header, missing: missing, takesDates: takesDates, cacheFile: cacheFile)
  }
}

extension DataSource {
  /// Whether the source is one table with columns to choose from.
  var isTable: Bool {
    switch self {
    case .airfoilLike, .airfoil, .table, .array, .stream: true
    default: false
    }
  }

  /// Whether it may be PNG or JPEG files.
  var isPictures: Bool {
    switch self {
    case .pictures, .stream: true
    default: false
    }
  }

  /// Reads all rows.
  func read(_ request: ReadRequest) throws(DistsgdError) -> RawExamples {
    switch self {
    case .airfoilLike: return try airfoilLikeExamples(columns: request.columns)
    case .airfoil:
      return try airfoilExamples(
        path: try fetchAirfoil(environment: request.environment), columns: request.columns)
    case .fashionMNIST(let test):
      let folder = findFashionMNIST(
        environment: request.environment, systemFolder: request.systemFolder)
      return try fashionExamples(test ? .test : .train, folder: folder)
    case .synthetic(let rows, let columns):
      return try syntheticExamples(rows: rows, columns: columns, seed: request.seed)
    case .table, .array, .archive, .stream: return try readContents(request)
    case .arrayPair(let inputs, let targets):
      let (inputsName, targetsName) = (sourceName(inputs), sourceName(targets))
      var array = request.maps ? try MappedFeatures.npy(inputs) : nil
      if array == nil { array = try readNPY(path: inputs) }
      return try arrayExamples(
        inputs: array!, targets: try readNPY(path: targets), source: inputsName,
        inputsSource: inputsName, targetsSource: targetsName)
    case .images(let path, let labels):
      let found = labels ?? labelsPath(forImages: path)
      if found == nil, request.needsTargets {
        throw DistsgdError(
          .noInput,
          "no labels beside \(printable(path, limit: 200)): give images,labels as two files")
      }
      return try readImages(path, labels: found, maps: request.maps)
    case .pictures(let pictures):
      return try readPictures(pictures, request.pictures, needsTargets: request.needsTargets)
    }
  }

  /// Reads one file, or stream, by what it holds.
  private func readContents(_ request: ReadRequest) throws(DistsgdError) -> RawExamples {
    switch self {
    case .table(let path):
      let early = EarlyRows(source: sourceName(path), options: request.table)
      let contents = try Contents(path, early: early)
      defer { withExtendedLifetime(contents) {} }
      if let examples = early?.examples { return examples }
      return try readTable(contents.bytes, source: contents.source, options: request.table)
    case .array(let path):
      return try tableExamples(try readNPY(path: path), source: sourceName(path), columns: request.columns)
    case .archive(let path, let part):
      let contents = try Contents(path, opensArchives: false)
      defer { withExtendedLifetime(contents) {} }
      return try readNPZ(
        contents.bytes, source: contents.source, part: part, needsTargets: request.needsTargets)
    case .stream(let path):
      let contents = try Contents(path)
      defer { withExtendedLifetime(contents) {} }
      switch try FileKind(contents, path: path) {
      case .table: return try readTable(contents.bytes, source: contents.source, options: request.table)
      case .array:
        return try tableExamples(
          try DataFormats.readNPY(contents.bytes, source: contents.source), source: contents.source,
          columns: request.columns)
      case .archive:
        return try readNPZ(
          contents.bytes, source: contents.source, part: .training, needsTargets: request.needsTargets)
      case .images:
        guard !request.needsTargets else {
          throw DistsgdError(
            .noInput, "no labels with the images in \(contents.source): give images,labels as two files")
        }
        return try imageExamples(contents.bytes, source: contents.source)
      case .picture:
        return try readPicture(
          contents.bytes, source: contents.source, request.pictures, needsTargets: request.needsTargets)
      }
    default: preconditionFailure("no file of one kind")
    }
  }

  private func readNPY(path: String) throws(DistsgdError) -> NPYArray {
    let contents = try Contents(path)
    defer { withExtendedLifetime(contents) {} }
    return try DataFormats.readNPY(contents.bytes, source: contents.source)
  }
}
