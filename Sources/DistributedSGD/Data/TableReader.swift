// Reads text tables (.csv .tsv .dat .txt): finds the layout by itself, then parses the chosen columns in one pass.

/// What to read from a table beside its columns.
struct TableOptions {
  var columns: ColumnRequest
  /// The target holds class numbers, which are checked here, where the line is known.
  var hasLabels = false
  /// Column names for a file that is known to have no header.
  var names: [String]?
}

/// The most classes a classification target may have.
let maximumClassCount = 65_536

/// Reads the bytes of a text table into double precision.
///
/// Fields are separated by commas, tabs, semicolons or blanks, whichever the file uses; `"…"` quotes a field
/// (`""` is a quote in it, and it may contain line ends); a byte-order mark, CR LF and blank lines are allowed.
///
/// - Throws: `badData` naming source, row (line of the file) and column, or `usage` for a column that is not there.
func readTable(
  _ bytes: UnsafeRawBufferPointer, source: String, options: TableOptions
) throws(DistsgdError) -> RawExamples {
  guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else {
    throw DistsgdError(.badData, "\(source) is empty: expected rows of numbers")
  }
  if bytes.count >= 2, bytes[0] == 0xFF && bytes[1] == 0xFE || bytes[0] == 0xFE && bytes[1] == 0xFF {
    throw DistsgdError(.badData, "\(source) is UTF-16 text: save it as UTF-8")
  }
  let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
  let text = UnsafeRawBufferPointer(rebasing: bytes[(hasMark ? 3 : 0)...])
  var parser = TableParser(
    position: start + (hasMark ? 3 : 0), end: start + bytes.count, delimiter: findDelimiter(text),
    source: source)

  // The first two rows tell the number of columns and whether there is a header.
  guard let first = try parser.textRow() else {
    throw DistsgdError(.badData, "\(source) is empty: expected rows of numbers")
  }
  let afterFirst = parser
  let second = try parser.textRow()
  let hasHeader = options.names == nil && isHeader(first.fields, second: second?.fields)
  if hasHeader {
    guard second != nil else {
      throw DistsgdError(.badData, "\(source) has a header and no rows: expected rows of numbers below it")
    }
    parser = afterFirst
  } else {
    parser.rewind(to: start + (hasMark ? 3 : 0))
  }
  let width = first.fields.count
  if let names = options.names, names.count != width {
    throw DistsgdError(
      .badData,
      "\(width) columns, \(source) row \(first.line): expected the \(names.count) columns \(listed(names))")
  }
  let names =
    options.names
    ?? (0..<width).map { hasHeader && !first.fields[$0].isEmpty ? first.fields[$0] : String($0 + 1) }
  let choice = try options.columns.resolve(
    names, isNamed: hasHeader || options.names != nil, source: source)
  parser.names = names
  parser.firstLine = first.line
  parser.hasLabels = options.hasLabels
  return try parser.parse(choice)
}

extension TableParser {
  /// Parses all remaining rows, the chosen columns alone.
  mutating func parse(_ choice: ColumnChoice) throws(DistsgdError) -> RawExamples {
    let width = choice.features.count
    let remaining = end - position
    // Every field takes two bytes with its delimiter, so the file's size bounds what is allocated; a last row
    // that breaks off may have written anywhere within its width.
    let (product, overflow) = (lineCount() + 1).multipliedReportingOverflow(by: width)
    let capacity = min(overflow ? Int.max : product, remaining / 2 + 1 + width)
    var failure: DistsgdError?
    var targets: [Double] = []
    var rows = 0
    let features = [Double](unsafeUninitializedCapacity: capacity) { buffer, initialized in
      do throws(DistsgdError) {
        rows = try parseRows(choice, into: buffer, targets: &targets)
      } catch {
        failure = error
      }
      initialized = rows * width
    }
    if let failure { throw failure }
    guard rows > 0 else {
      throw DistsgdError(.badData, "\(source) has no rows: expected rows of numbers")
    }
    return RawExamples(
      source: source, kind: .table, count: rows, featureCount: width, features: .doubles(features),
      targets: choice.target == nil ? nil : targets, featureNames: choice.features.map { names[$0] },
      targetName: choice.target.map { names[$0] } ?? "", standardizesByDefault: true)
  }

  /// An upper bound of the rows that are left.
  private func lineCount() -> Int {
    var count = 0
    for byte in UnsafeBufferPointer(start: position, count: end - position) where isLineEnd(byte) {
      count += 1
    }
    return count
  }
}
