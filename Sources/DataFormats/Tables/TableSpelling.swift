// How a text table is spelled: encoding, comments, quotes, delimiter, decimal mark, header; all found in its first rows.
import System
import Text

/// All that is known of a table before its rows are read.
struct TableSpelling {
  /// Set up to read the rows, and standing before the first of them.
  var parser: TableParser
  /// The columns' names; "1", "2", … where the table has none.
  var names: [String]
  /// The line of the header; nil: there is none.
  var headerLine: Int?
  /// Columns that the header has no name for.
  var unnamed: Set<Int> = []
  /// The first rows of data.
  var rows: [TextRow]
  /// A column that counts the rows, and how it is told.
  var index: (column: Int, description: String)?
  /// As a person calls it; nil for UTF-8.
  var encoding: String?
  /// The line of a title above the table, which is left out.
  var titleLine: Int?

  var isNamed: Bool { headerLine != nil }

  /// - Parameters:
  ///   - text: of the whole table.
  ///   - known: the names of the columns that a model takes, which are a header wherever they stand in the first row.
  init(
    _ text: TableText, source: String, header: HeaderChoice, known: [String] = []
  ) throws(DistsgdError) {
    guard let start = text.bytes.bindMemory(to: UInt8.self).baseAddress, !text.bytes.isEmpty else {
      throw DistsgdError(.badData, "\(source) is empty: expected rows of numbers")
    }
    var parser = TableParser(
      position: start, end: start + text.bytes.count, delimiter: .comma, source: source)
    let stated = parser.statedDelimiter()
    parser.comment = commentMark(parser)
    let leadingComment = parser.lastLeadingComment()
    if hasSingleQuotes(parser) { parser.secondQuote = UInt8(ascii: "'") }
    var sample: TableSample
    if let stated {
      parser.delimiter = stated
      sample = TableSample(parser)
    } else {
      sample = findLayout(parser)
    }
    parser = sample.parser
    guard let first = sample.rows.first else {
      // Tells what is wrong with it.
      guard let row = try parser.textRow() else {
        throw DistsgdError(.badData, "\(source) is empty: expected rows of numbers")
      }
      sample.rows = [TextRow(fields: row.fields, line: row.line)]
      throw DistsgdError(
        .badData, "the first row cannot be read, \(source) row \(row.line): expected fields of equal rows")
    }
    let rest = Array(sample.rows.dropFirst())
    let isShorter = sample.isRegular && first.fields.count == sample.width - 1
    let isHeader =
      switch header {
      case .yes: true
      case .no: false
      case .auto:
        isShorter || isHeaderOf(known, first.fields) || DataFormats.isHeader(first.fields, rest, parser)
      }
    encoding = text.encoding
    titleLine = sample.title?.line
    rows = isHeader ? rest : sample.rows
    if isHeader {
      var titles = first.fields
      if isShorter { titles.insert("", at: 0) }
      unnamed = Set(titles.indices.filter { titles[$0].isEmpty })
      let own = Set(titles)
      names = titles.enumerated().map { index, title in
        guard title.isEmpty else { return title }
        let number = String(index + 1)
        return own.contains(number) ? "unnamed \(number)" : number
      }
      headerLine = first.line
      _ = try parser.textRow()
      guard parser.skipBlankLines() else {
        throw DistsgdError(
          .badData, "\(source) has a header and no rows: expected rows of numbers below it")
      }
    } else if header == .auto, let (text, line) = leadingComment,
      let titles = parser.titles(text, width: first.fields.count), DataFormats.isHeader(titles, rows, parser)
    {
      // As numpy.savetxt writes it.
      names = titles
      headerLine = line
    } else {
      names = (1...max(1, first.fields.count)).map(String.init)
    }
    parser.names = names
    parser.firstLine = first.line
    self.parser = parser
    index = indexColumn()
  }
}

/// Whether the names that a model knows are all there. Numbers alone may be data.
private func isHeaderOf(_ known: [String], _ first: [String]) -> Bool {
  guard known.count >= 2 || known.contains(where: { decimalNumber($0) == nil }) else { return false }
  let fields = Set(first)
  return known.allSatisfy(fields.contains)
}

// MARK: What stands before the rows

extension TableParser {
  /// Moves past a first line such as `sep=;`, which Excel reads and writes.
  fileprivate mutating func statedDelimiter() -> Delimiter? {
    var stop = position
    while stop < end, !isLineEnd(stop.pointee), stop - position < 16 { stop += 1 }
    let text = fieldText(UnsafeBufferPointer(start: position, count: stop - position))
      .filter { $0 != "\"" }.lowercased()
    guard text.hasPrefix("sep="), text.count == 5, let mark = text.utf8.last,
      let delimiter = Delimiter(rawValue: mark)
    else { return nil }
    position = stop
    if position < end { endLine() }
    return delimiter
  }

  /// The last of the comments before the first row, without its mark, and its line.
  fileprivate func lastLeadingComment() -> (text: String, line: Int)? {
    guard comment != 0 else { return nil }
    var reader = self
    var last: (String, Int)?
    while reader.position < reader.end {
      var stop = reader.position
      while stop < reader.end, !isLineEnd(stop.pointee) { stop += 1 }
      let text = fieldText(UnsafeBufferPointer(start: reader.position, count: stop - reader.position))
        .drop { $0 == " " || $0 == "\t" }
      guard text.isEmpty || text.utf8.first == comment else { break }
      if !text.isEmpty { last = (String(text.drop { $0.utf8.first == comment || $0 == " " }), reader.line) }
      reader.position = stop
      if stop < reader.end { reader.endLine() }
    }
    return last
  }

  /// The fields of a line, if there are so many.
  fileprivate func titles(_ text: String, width: Int) -> [String]? {
    var text = text
    return text.withUTF8 { utf8 -> [String]? in
      guard let start = utf8.baseAddress else { return nil }
      var reader = TableParser(self, from: start, to: start + utf8.count)
      reader.comment = 0
      guard let row = try? reader.textRow(), row.fields.count == width else { return nil }
      return row.fields
    }
  }
}

/// What begins the lines that are no rows: `#` wherever it is not that of most rows; `%`, `!` or `//` where the table
/// begins with it.
private func commentMark(_ parser: TableParser) -> UInt8 {
  var reader = TableParser(
    parser, from: parser.position,
    to: parser.position + min(parser.end - parser.position, TableSample.byteCount))
  var starts: [UInt8] = []
  var isDoubled = false
  while reader.position < reader.end, starts.count < TableSample.rowCount {
    while reader.position < reader.end, reader.position.pointee == 0x20 { reader.position += 1 }
    guard reader.position < reader.end else { break }
    if !isLineEnd(reader.position.pointee) {
      if starts.isEmpty, reader.end - reader.position > 1 {
        isDoubled = reader.position[1] == UInt8(ascii: "/")
      }
      starts.append(reader.position.pointee)
    }
    while reader.position < reader.end, !isLineEnd(reader.position.pointee) { reader.position += 1 }
    if reader.position < reader.end { reader.endLine() }
  }
  guard let first = starts.first else { return 0 }
  let isMark =
    "#%!".utf8.contains(first) || (first == UInt8(ascii: "/") && isDoubled)
  if isMark, starts.contains(where: { $0 != first }) {
    // A table whose first column begins so has hardly another line.
    return 4 * starts.count { $0 != first } >= starts.count
      || starts.drop { $0 == first }.allSatisfy { $0 != first }
      ? first : 0
  }
  let hash = UInt8(ascii: "#")
  return 2 * starts.count { $0 == hash } < starts.count ? hash : 0
}

/// Whether `'` quotes fields: wherever one stands at a field's beginning, one stands at its end.
private func hasSingleQuotes(_ parser: TableParser) -> Bool {
  let bytes = UnsafeBufferPointer(
    start: parser.position, count: min(parser.end - parser.position, TableSample.byteCount))
  let quote = UInt8(ascii: "'")
  guard bytes.contains(quote) else { return false }
  func isEdge(_ byte: UInt8) -> Bool { isLineEnd(byte) || ",;|\t".utf8.contains(byte) }
  var (starts, ends) = (0, 0)
  for place in bytes.indices where bytes[place] == quote {
    var before = place - 1
    while before >= 0, bytes[before] == 0x20 { before -= 1 }
    var after = place + 1
    while after < bytes.count, bytes[after] == 0x20 { after += 1 }
    if before < 0 || isEdge(bytes[before]) { starts += 1 }
    if after == bytes.count || isEdge(bytes[after]) { ends += 1 }
  }
  return starts > 0 && starts == ends
}
