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
  case archive(String)
  case images(String, labels: String?)

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
      switch (try file(first), try file(second)) {
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
    let name = printable(path, limit: 200)
    switch pathKind(path) {
    case .directory:
      throw DistsgdError(.noInput, "\(name) is a directory: name a file in it")
    case .other: return .table(path)
    default: break
    }
    let start = try firstBytes(of: path, count: 8)
    let ending = fileExtension(path)
    if start.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) || ending == "npy" { return .array(path) }
    if start.starts(with: [0x50, 0x4B, 3, 4]) || ending == "npz" { return .archive(path) }
    if start.starts(with: [0x1F, 0x8B]) {
      guard ending != "csv.gz", ending != "tsv.gz", ending != "txt.gz", ending != "dat.gz" else {
        throw DistsgdError(.badData, "\(name) is a compressed table: decompress it with gunzip first")
      }
      return .images(path, labels: nil)
    }
    if start.starts(with: [0, 0]) || path.contains("-ubyte") { return .images(path, labels: nil) }
    return .table(path)
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
  var needsTargets = true
  var seed: UInt64 = 0
  /// Where environment variables come from.
  var environment: (String) -> String? = environmentValue
  /// Where Fashion-MNIST is looked for last.
  var systemFolder = fashionSystemFolder
}

extension DataSource {
  /// Whether the source is one table with columns to choose from.
  var isTable: Bool {
    switch self {
    case .airfoilLike, .airfoil, .table, .array: true
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
    case .table(let path):
      let file = try FileBytes(path)
      defer { withExtendedLifetime(file) {} }
      return try readTable(
        file.bytes, source: printable(path, limit: 200),
        options: TableOptions(
          columns: request.columns, header: request.header, missing: request.missing,
          takesDates: request.takesDates))
    case .array(let path):
      return try tableExamples(
        try readNPY(path: path), source: printable(path, limit: 200), columns: request.columns)
    case .arrayPair(let inputs, let targets):
      let (inputsName, targetsName) = (printable(inputs, limit: 200), printable(targets, limit: 200))
      return try arrayExamples(
        inputs: try readNPY(path: inputs), targets: try readNPY(path: targets), source: inputsName,
        inputsSource: inputsName, targetsSource: targetsName)
    case .archive(let path):
      let file = try FileBytes(path)
      defer { withExtendedLifetime(file) {} }
      return try readNPZ(
        file.bytes, source: printable(path, limit: 200), needsTargets: request.needsTargets)
    case .images(let path, let labels):
      let found = labels ?? labelsPath(forImages: path)
      if found == nil, request.needsTargets {
        throw DistsgdError(
          .noInput,
          "no labels beside \(printable(path, limit: 200)): give images,labels as two files")
      }
      return try readImages(path, labels: found)
    }
  }

  private func readNPY(path: String) throws(DistsgdError) -> NPYArray {
    let file = try FileBytes(path)
    defer { withExtendedLifetime(file) {} }
    return try DataFormats.readNPY(file.bytes, source: printable(path, limit: 200))
  }
}
