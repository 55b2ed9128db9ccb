// How a table is read, for a person who wants to know before training on it.
import System
import Text

/// A table as it is read: its spelling, and what each column holds.
package struct TableDescription: Sendable {
  /// One column.
  package struct Column: Sendable {
    package var name: String
    /// `number`, `text` or `date`.
    package var type: String
    /// `input`, `target`, `identifier`, `weight`, or `left out`.
    package var role: String
    package var missing: Int
    /// Of numbers.
    package var least: Double?
    package var greatest: Double?
    /// Different texts; nil for numbers, and where they are more than a column of categories may have.
    package var textCount: Int?
    /// A few fields of the first rows.
    package var examples: [String]
  }

  package var source: String
  package var rows: Int
  package var delimiter: String
  package var decimalMark: String
  package var encoding: String
  /// The line of the header; nil: there is none.
  package var headerLine: Int?
  package var comments: Int
  package var columns: [Column]
  /// Lines about what was assumed.
  package var notes: [String]
}

/// Reads all of a table as `train` with these options would, and tells what is in it; columns that `train` would refuse
/// are told as any other.
/// - Returns: nil where `data` names no text table.
/// - Throws: `DistsgdError` for a table that cannot be read at all.
package func describeTable(_ options: DataOptions) throws(DistsgdError) -> TableDescription? {
  let path: String
  switch try DataSource(options.data, flag: "--data") {
  case .table(let file), .stream(let file): path = file
  default: return nil
  }
  let contents = try Contents(path)
  defer { withExtendedLifetime(contents) {} }
  guard case .table = try FileKind(contents, path: path) else { return nil }
  let source = contents.source
  let text = try TableText(contents.bytes, source: source)
  defer { text.deallocate() }
  let spelling = try TableSpelling(text, source: source, header: options.header)
  let choice = try ColumnRequest.chosen(options.wishes).resolve(
    spelling.names, isNamed: spelling.isNamed, index: spelling.index?.column, source: source)
  let tableOptions = TableOptions(
    columns: .chosen(options.wishes), header: options.header, missing: options.missingWords, takesDates: true)
  let all = ColumnChoice(features: Array(spelling.names.indices), targets: [])
  let typing = ColumnTyping(spelling, tableOptions, all)
  var plan = TablePlan(
    choice: all, kinds: spelling.names.indices.map(typing.kind), missing: options.missingWords)
  var (parts, values) = try spelling.parser.parse(plan, .auto)
  let kinds = plan.kinds.indices.map { column in
    plan.kinds[column] != .category && parts.contains { $0.tallies[column].texts > 0 }
      ? .category : plan.kinds[column]
  }
  if kinds != plan.kinds {
    for part in parts { part.deallocate() }
    plan = TablePlan(choice: all, kinds: kinds, missing: options.missingWords)
    (parts, values) = try spelling.parser.parse(plan, .auto)
  }
  defer { for part in parts { part.deallocate() } }
  let rows = parts.reduce(0) { $0 + $1.count }
  let width = spelling.names.count
  let columns = spelling.names.indices.map { column in
    var description = TableDescription.Column(
      name: spelling.names[column], type: "number", role: choice.role(of: column),
      missing: parts.reduce(0) { $0 + $1.tallies[column].missing }, examples: [])
    let fields = spelling.rows.compactMap { column < $0.fields.count ? $0.fields[column] : nil }
    description.examples = Array(fields.prefix(3))
    switch plan.kinds[column] {
    case .category:
      description.type = "text"
      let isFull = parts.contains { $0.tables[column]!.isFull }
      description.textCount = isFull ? nil : categoryTexts(of: column, parts).count
    case .date: description.type = "date"
    default:
      for row in 0..<rows {
        let value = values[row * width + column]
        guard !value.isNaN else { continue }
        description.least = min(description.least ?? value, value)
        description.greatest = max(description.greatest ?? value, value)
      }
    }
    return description
  }
  var notes: [String] = []
  if let (column, description) = spelling.index, choice.role(of: column) == "left out" {
    notes.append("\(description) only counts the rows")
  }
  return TableDescription(
    source: source, rows: rows, delimiter: spelling.parser.delimiter.name,
    decimalMark: spelling.parser.point == UInt8(ascii: ",") ? "comma" : "point",
    encoding: spelling.encoding ?? "UTF-8", headerLine: spelling.headerLine,
    comments: parts.reduce(spelling.parser.commentCount) { $0 + $1.comments }, columns: columns, notes: notes)
}

extension ColumnChoice {
  fileprivate func role(of column: Int) -> String {
    if features.contains(column) { return "input" }
    if targets.contains(column) { return "target" }
    if identifier == column { return "identifier" }
    return weight == column ? "weight" : "left out"
  }
}

/// The kinds of files that `--data` takes, as `distsgd data list` tells them.
package let dataFileKinds: [(name: String, description: String)] = [
  (
    "table",
    "text with a row for each example: .csv .tsv .dat .txt .data; commas, tabs, semicolons, bars or blanks"
  ),
  ("x.npy,y.npy", "NumPy arrays: inputs, and a target for each"),
  ("xy.npz", "a NumPy archive with arrays named x and y"),
  ("table.npy", "one array of two dimensions: a table without a header"),
  ("images,labels", "IDX files of bytes as of MNIST, plain or .gz; the labels are found by their name"),
]
