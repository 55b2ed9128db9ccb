// What stands between the columns of a text table, found by trying: the way of reading that gives equal rows of numbers.
import System
import Text

/// What stands between two fields.
enum Delimiter: UInt8, CaseIterable {
  // In the order in which they are tried: a comma may be a decimal mark, and blanks are in any text.
  case semicolon = 0x3B
  case tab = 0x09
  case comma = 0x2C
  case bar = 0x7C
  /// Any run of spaces and tabs.
  case blanks = 0x20

  /// As a person calls it.
  var name: String {
    switch self {
    case .semicolon: "semicolon"
    case .tab: "tab"
    case .comma: "comma"
    case .bar: "bar"
    case .blanks: "blanks"
    }
  }
}

/// Line feed or carriage return.
@inline(__always)
func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

/// A row as text, and its line.
struct TextRow {
  var fields: [String]
  var line: Int
}

/// The first rows of a table, read in one way.
struct TableSample {
  /// With everything set that this way of reading consists of; stands before the first row.
  var parser: TableParser
  var rows: [TextRow]
  /// A line above the table that is none of its rows.
  let title: TextRow?
  /// Fields of a row, without a trailing delimiter's.
  private(set) var width: Int
  private(set) var isRegular: Bool
  /// How many of the fields below the first row are numbers, of those that are not missing.
  private(set) var numericShare = 0.0

  static let rowCount = 60
  static let byteCount = 1 << 20

  /// - Parameter parser: before the first row.
  init(_ parser: TableParser) {
    self.parser = parser
    rows = TableSample.rows(parser)
    title = Self.title(above: &rows, &self.parser)
    let counts = rows.map(\.fields.count)
    let body = counts.count > 1 ? counts.dropFirst() : counts[...]
    width = body.first ?? 0
    isRegular = width >= 2 && body.allSatisfy { $0 == body.first }
    guard isRegular, let first = rows.first else { return }
    // A delimiter at the end of every row, with one at the header's or without.
    if rows.count > 1 || !isMissingWord(first.fields[0]), width > 2,
      rows.dropFirst().allSatisfy({ $0.fields.last == "" }), first.fields.count <= width,
      first.fields.count < width || first.fields.last == ""
    {
      self.parser.hasTrailingDelimiter = true
      width -= 1
      for row in rows.indices where rows[row].fields.count > width { rows[row].fields.removeLast() }
    } else if rows.count > 1, first.fields.count == width + 1, first.fields.last == "" {
      self.parser.hasTrailingDelimiter = true
      rows[0].fields.removeLast()
    }
    // R leaves out the name of the rows' names.
    isRegular = rows[0].fields.count == width || rows[0].fields.count == width - 1
    findPoint()
  }

  /// A title above the table, or how many rows and columns follow, as scikit-learn writes: a line of fewer fields than all
  /// others have, by more than the one that R leaves out.
  private static func title(above rows: inout [TextRow], _ parser: inout TableParser) -> TextRow? {
    let counts = rows.map(\.fields.count)
    guard counts.count > 3, counts[1] > 2, counts[0] < counts[1] - 1,
      counts.dropFirst().allSatisfy({ $0 == counts[1] }),
      (try? parser.textRow()) != nil
    else { return nil }
    return rows.removeFirst()
  }

  /// The rows below the first, or the first where there is no other.
  var body: ArraySlice<TextRow> { rows.count > 1 ? rows[1...] : rows[...] }

  /// A column that no row has anything in.
  var hasEmptyColumn: Bool {
    (0..<width).contains { column in
      rows.allSatisfy { column < $0.fields.count && $0.fields[column].isEmpty }
    }
  }

  /// Decides for the decimal mark that makes more of the fields numbers.
  private mutating func findPoint() {
    let fields = body.flatMap(\.fields).filter { !isMissingWord($0) }
    guard !fields.isEmpty else { return }
    var count = fields.count { decimalNumber($0) != nil }
    if parser.delimiter != .comma {
      var comma = parser
      comma.point = UInt8(ascii: ",")
      let commas = fields.count { comma.number($0) != nil }
      if commas > count { (parser, count) = (comma, commas) }
    }
    numericShare = Double(count) / Double(fields.count)
  }

  /// The first rows; fewer where one cannot be read.
  private static func rows(_ parser: TableParser) -> [TextRow] {
    let length = parser.end - parser.position
    var end = parser.end
    if length > byteCount {
      // No row is cut off.
      var stop = parser.position + byteCount
      while stop < parser.end, !isLineEnd(stop.pointee) { stop += 1 }
      end = stop
    }
    var part = TableParser(parser, from: parser.position, to: end)
    var rows: [TextRow] = []
    while rows.count < rowCount, let row = try? part.textRow() {
      rows.append(TextRow(fields: row.fields, line: row.line))
    }
    return rows
  }
}

/// The best way to read a table, of all delimiters.
///
/// A way is possible where all rows below the first have equally many fields. Of these the one counts whose fields are
/// numbers most often, and of equals the first in the order of `Delimiter`.
func findLayout(_ parser: TableParser) -> TableSample {
  var best: TableSample?
  var samples: [Delimiter: TableSample] = [:]
  for delimiter in Delimiter.allCases where occurs(delimiter, parser) {
    var candidate = parser
    candidate.delimiter = delimiter
    let sample = TableSample(candidate)
    samples[delimiter] = sample
    guard sample.isRegular else { continue }
    if let known = best {
      // Tabs that only pad a table of blanks leave columns empty.
      let isPadded = delimiter == .blanks && known.hasEmptyColumn && sample.numericShare >= known.numericShare
      guard sample.numericShare > known.numericShare || isPadded else { continue }
    }
    best = sample
  }
  if let best { return best }
  // Rows of different lengths: the error shall be told of the delimiter that was meant.
  let counts = [Delimiter.semicolon, .tab, .comma, .bar].compactMap { delimiter in
    samples[delimiter].map { (delimiter, $0.rows.first?.fields.count ?? 0) }
  }
  if let most = counts.max(by: { $0.1 < $1.1 }), most.1 > 1 {
    return samples[most.0 == .tab && samples[.blanks] != nil ? .blanks : most.0]!
  }
  var blanks = parser
  blanks.delimiter = .blanks
  return samples[.blanks] ?? TableSample(blanks)
}

/// Whether a delimiter stands in the first rows at all.
private func occurs(_ delimiter: Delimiter, _ parser: TableParser) -> Bool {
  let start = UnsafeBufferPointer(
    start: parser.position, count: min(parser.end - parser.position, TableSample.byteCount))
  return start.contains(delimiter.rawValue) || (delimiter == .blanks && start.contains(0x09))
}
