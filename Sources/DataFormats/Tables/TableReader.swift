// Reads text tables (.csv .tsv .dat .txt): finds the layout by itself, then parses the chosen columns in one pass.
import Glibc
import System
import Text

/// What to read from a table beside its columns.
struct TableOptions {
  var columns: ColumnRequest
  /// The target holds class numbers, which are checked here, where the line is known.
  var hasLabels = false
  /// Column names for a file that is known to have no header.
  var names: [String]?
}

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
    let parts = parts()
    var capacities = [Int](repeating: 0, count: parts.count)
    capacities.withUnsafeMutableBufferPointer { capacities in
      inParallel(parts.count) { capacities[$0] = parts[$0].capacity(width: width) }
    }
    // Where each part's numbers begin.
    let starts = capacities.reduce(into: [0]) { $0.append($0.last! + $1) }
    // As they are read, and in single precision.
    try requireMemory(bytes: 12 * Double(starts.last!), for: source)
    var results = [PartResult](repeating: .success(PartRows()), count: parts.count)
    let features = [Double](unsafeUninitializedCapacity: starts.last!) { buffer, initialized in
      preferLargePages(UnsafeMutableRawBufferPointer(buffer))
      results.withUnsafeMutableBufferPointer { results in
        inParallel(parts.count) { number in
          var part = parts[number]
          results[number] = PartResult { () throws(DistsgdError) -> PartRows in
            var rows = PartRows()
            let space = UnsafeMutableBufferPointer(rebasing: buffer[starts[number]..<starts[number + 1]])
            rows.count = try part.parseRows(choice, into: space, targets: &rows.targets)
            return rows
          }
        }
      }
      // Parts with blank lines have fewer rows than lines.
      for (number, result) in results.enumerated() {
        let count = ((try? result.get())?.count ?? 0) * width
        if initialized < starts[number], count > 0 {
          memmove(buffer.baseAddress! + initialized, buffer.baseAddress! + starts[number], 8 * count)
        }
        initialized += count
      }
    }
    var rows = 0
    var targets: [Double] = []
    for (number, result) in results.enumerated() {
      guard case .success(let part) = result else {
        // A part counts lines from its own start; the first error is found again with its line in the file.
        if number > 0 { _ = try parseInOrder(choice) }
        _ = try result.get()
        break
      }
      rows += part.count
      if number == 0 { targets = part.targets } else { targets += part.targets }
    }
    guard rows > 0 else {
      throw DistsgdError(.badData, "\(source) has no rows: expected rows of numbers")
    }
    return RawExamples(
      source: source, kind: .table, count: rows, featureCount: width, features: .doubles(features),
      targets: choice.target == nil ? nil : targets, featureNames: choice.features.map { names[$0] },
      targetName: choice.target.map { names[$0] } ?? "", standardizesByDefault: true)
  }

  private typealias PartResult = Result<PartRows, DistsgdError>

  private struct PartRows {
    var count = 0
    var targets: [Double] = []
  }

  /// What is left, cut after line feeds into parts that can be read at the same time. A table with quotes is one
  /// part, because a quoted field may hold line feeds.
  private func parts() -> [TableParser] {
    let length = end - position
    let count = pieceCount(length, least: 1 << 20)
    guard count > 1, memchr(position, 0x22, length) == nil else { return [self] }
    var parts: [TableParser] = []
    var start = position
    for number in 1...count {
      var stop = end
      if number < count {
        let middle = max(start, position + number * length / count)
        guard let feed = memchr(middle, 0x0A, end - middle) else { continue }
        stop = UnsafePointer(feed.assumingMemoryBound(to: UInt8.self)) + 1
      }
      if stop > start { parts.append(TableParser(self, from: start, to: stop)) }
      start = stop
    }
    return parts
  }

  /// Floats that the rows which are left may write. Every field takes two bytes with its delimiter, so the size
  /// bounds what is allocated; a last row that breaks off may have written anywhere within its width.
  private func capacity(width: Int) -> Int {
    let (product, overflow) = (lineCount() + 1).multipliedReportingOverflow(by: width)
    return min(overflow ? Int.max : product, (end - position) / 2 + 1 + width)
  }

  /// Reads all that is left for its error alone.
  private mutating func parseInOrder(_ choice: ColumnChoice) throws(DistsgdError) -> Int {
    let space = UnsafeMutableBufferPointer<Double>.allocate(capacity: capacity(width: choice.features.count))
    defer { space.deallocate() }
    var targets: [Double] = []
    return try parseRows(choice, into: space, targets: &targets)
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
