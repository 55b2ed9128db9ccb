// Reads text tables (.csv .tsv .dat .txt): finds how they are spelled, then parses the chosen columns in one pass.
import Glibc
import System
import Text

/// What to read from a table beside its columns.
struct TableOptions {
  var columns: ColumnRequest
  /// Column names for a file that is known to have no header.
  var names: [String]?
  var header = HeaderChoice.auto
  var missing = MissingWords()
  /// Whether dates become their parts.
  var takesDates = false
  /// Where its numbers are.
  var cacheFile = CacheFileChoice.no
}

/// Reads the bytes of a text table into double precision.
///
/// Fields are separated by commas, tabs, semicolons, bars or blanks, whichever the file uses; `"…"` quotes a field
/// (`""` is a quote in it, and it may contain line ends); a byte-order mark, CR LF, comments and blank lines are allowed.
///
/// - Throws: `badData` naming source, row (line of the file) and column, or `usage` for a column that is not there.
func readTable(
  _ bytes: UnsafeRawBufferPointer, source: String, options: TableOptions
) throws(DistsgdError) -> RawExamples {
  let text = try TableText(bytes, source: source)
  defer { text.deallocate() }
  let beginning = try TableBeginning(text, source: source, options: options)
  let parser = beginning.spelling.parser
  var typing = beginning.typing
  var plan = beginning.plan
  while true {
    let (parts, features) = try parser.parse(plan, options.cacheFile)
    defer { for part in parts { part.deallocate() } }
    if let other = try typing.settle(plan, parts) {
      plan = other
      continue
    }
    return try beginning.examples(typing, plan, parts, features, options)
  }
}

/// What is known of a table by its first rows: how it is spelled, and what is read of it as what.
struct TableBeginning {
  let spelling: TableSpelling
  let choice: ColumnChoice
  /// The file's column of each feature; a date may be several of a model's.
  let wanted: [Int]
  let typing: ColumnTyping
  let plan: TablePlan

  init(_ text: TableText, source: String, options: TableOptions) throws(DistsgdError) {
    var spelling = try TableSpelling(
      text, source: source, header: options.names == nil ? options.header : .no, known: options.columns.known)
    if let names = options.names {
      guard names.count == spelling.names.count else {
        throw DistsgdError(
          .badData,
          "\(counted(spelling.names.count, "column")), \(source) row \(spelling.parser.firstLine): expected the \(names.count) columns \(listed(names))"
        )
      }
      (spelling.names, spelling.parser.names, spelling.index) = (names, names, nil)
    }
    var choice = try options.columns.resolve(
      spelling.names, isNamed: spelling.isNamed || options.names != nil, index: spelling.index?.column,
      source: source)
    let wanted = choice.features
    choice.features = wanted.enumerated().filter { !wanted[..<$0.offset].contains($0.element) }.map(\.element)
    typing = ColumnTyping(spelling, options, choice, found: wanted)
    plan = try typing.plan()
    (self.spelling, self.choice, self.wanted) = (spelling, choice, wanted)
  }

  /// All rows, as they were read by a plan that has proved right.
  func examples(
    _ typing: ColumnTyping, _ plan: TablePlan, _ parts: [TablePart], _ features: Numbers,
    _ options: TableOptions
  ) throws(DistsgdError) -> RawExamples {
    var raw = try typing.examples(plan, parts, features: features)
    if features.isInFile {
      raw.notes.append(
        "the numbers of \(typing.source) lie in a file in \(printable(UnnamedFile.folder, limit: 200)) (TMPDIR) while the job runs, \(gigabytes(8 * Double(features.count))) GB: --cache-file no keeps them in memory"
      )
    }
    if case .matching(let preprocessing, _, _) = options.columns {
      raw = try raw.columnsOf(preprocessing, found: wanted, read: choice.features)
    }
    return raw
  }
}

extension TableParser {
  /// Parses all remaining rows, the chosen columns alone; the features are those of all parts, one after the other.
  func parse(
    _ plan: TablePlan, _ cacheFile: CacheFileChoice
  ) throws(DistsgdError) -> (parts: [TablePart], features: Numbers) {
    let pieces = pieces()
    if pieces.count > 1, let result = try? parse(plan, in: pieces, cacheFile) { return result }
    // A piece counts lines from its own start, and may begin within a quoted field, which the one before it then
    // tells by an error: in order, everything is read and told as it stands in the file.
    return try parse(plan, in: [self], cacheFile)
  }

  private func parse(
    _ plan: TablePlan, in pieces: [TableParser], _ cacheFile: CacheFileChoice
  ) throws(DistsgdError) -> (parts: [TablePart], features: Numbers) {
    let width = plan.featureCount
    var capacities = [Int](repeating: 0, count: pieces.count)
    capacities.withUnsafeMutableBufferPointer { capacities in
      inParallel(pieces.count) { capacities[$0] = pieces[$0].capacity(width: width) }
    }
    // Where each piece's numbers begin.
    let starts = capacities.reduce(into: [0]) { $0.append($0.last! + $1) }
    // As they are read, and in single precision.
    let bytes = 12 * Double(starts.last!)
    let isInFile = cacheFile.usesFile(for: bytes)
    if !isInFile { try requireMemory(bytes: bytes, for: source) }
    var results = [Result<TablePart, DistsgdError>?](repeating: nil, count: pieces.count)
    let features = try Numbers(capacity: starts.last!, inFile: isInFile, source: source) {
      buffer, initialized in
      preferLargePages(UnsafeMutableRawBufferPointer(buffer))
      results.withUnsafeMutableBufferPointer { results in
        inParallel(pieces.count) { number in
          let space = UnsafeMutableBufferPointer(rebasing: buffer[starts[number]..<starts[number + 1]])
          results[number] = pieces[number].part(plan, space)
        }
      }
      guard let parts = try? results.map({ try $0!.get() }) else { return }
      numberCategories(plan, parts)
      initialized = closeGaps(parts, starts, width: width, buffer)
    }
    var parts: [TablePart] = []
    for result in results {
      do {
        parts.append(try result!.get())
      } catch {
        for case .success(let part)? in results { part.deallocate() }
        throw error
      }
    }
    guard parts.contains(where: { $0.count > 0 }) else {
      for part in parts { part.deallocate() }
      throw DistsgdError(.badData, "\(source) has no rows: expected rows of numbers")
    }
    return (parts, features)
  }

  /// The rows of one piece.
  func part(
    _ plan: TablePlan, _ features: UnsafeMutableBufferPointer<Double>
  ) -> Result<TablePart, DistsgdError> {
    var reader = self
    var part = TablePart(plan, features: features, rows: features.count / max(1, plan.featureCount) + 1)
    do {
      try reader.parseRows(plan, into: &part)
    } catch {
      part.deallocate()
      return .failure(error)
    }
    part.lines = reader.line - line
    part.comments = reader.commentCount - commentCount
    return .success(part)
  }

  /// What is left, cut after line feeds into pieces that can be read at the same time.
  private func pieces() -> [TableParser] {
    let length = end - position
    let count = pieceCount(length, least: 1 << 20)
    guard count > 1 else { return [self] }
    var pieces: [TableParser] = []
    var start = position
    for number in 1...count {
      var stop = end
      if number < count {
        let middle = max(start, position + number * length / count)
        guard let feed = memchr(middle, 0x0A, end - middle) else { continue }
        stop = UnsafePointer(feed.assumingMemoryBound(to: UInt8.self)) + 1
      }
      if stop > start { pieces.append(TableParser(self, from: start, to: stop)) }
      start = stop
    }
    return pieces
  }

  /// Numbers that the rows which are left may write. Every field takes a byte, so the size bounds what is allocated;
  /// a last row that breaks off may have written anywhere within its width.
  func capacity(width: Int) -> Int {
    let (product, overflow) = lineCount().multipliedReportingOverflow(by: width)
    return min(overflow ? Int.max : product, (end - position) + 1 + width)
  }

  /// An upper bound of the rows that are left: the lines, the last of which may end with the text.
  private func lineCount() -> Int {
    var count = position < end && isLineEnd(end[-1]) ? 0 : 1
    var place = position
    while end - place > 8 {
      let word = EightBytes(place)
      let carriageReturns = word.places(of: 0x0D)
      // A carriage return ends a line unless a line feed comes next, which may be the ninth byte.
      let next = word.places(of: 0x0A) >> 8 | (place[8] == 0x0A ? 1 << 63 : 0)
      count += (word.places(of: 0x0A) | carriageReturns & ~next).nonzeroBitCount
      place += 8
    }
    while place < end {
      if isLineEnd(place.pointee) { count += 1 }
      place += 1
    }
    return count
  }
}

/// Moves the numbers of all parts together: parts with blank lines have fewer rows than lines. Returns how many there are.
/// - Parameter starts: where each part's numbers begin.
func closeGaps(
  _ parts: [TablePart], _ starts: [Int], width: Int, _ buffer: UnsafeMutableBufferPointer<Double>
) -> Int {
  var total = 0
  for (part, start) in zip(parts, starts) {
    let count = part.count * width
    if total < start, count > 0 {
      memmove(buffer.baseAddress! + total, buffer.baseAddress! + start, 8 * count)
    }
    total += count
  }
  return total
}

/// Gives the texts of all parts one numbering, in their natural order.
func numberCategories(_ plan: TablePlan, _ parts: [TablePart]) {
  let columns = plan.kinds.indices.filter { parts.first?.tables[$0] != nil }
  guard !columns.isEmpty else { return }
  let places = columns.map { column in
    Dictionary(categoryTexts(of: column, parts).enumerated().map { ($1, Double($0)) }) { first, _ in first }
  }
  let width = plan.featureCount
  inParallel(over: parts.count, least: 1) { range in
    for number in range { setNumbers(number) }
  }
  func setNumbers(_ number: Int) {
    let part = parts[number]
    // Of each column: where its fields are in a row, and what its texts' numbers become.
    let numbers = zip(columns, places).map { column, places in
      part.tables[column]!.categories.map { $0.isMissing ? .nan : places[$0.text] ?? 0 }
    }
    let slots = columns.map { plan.slots[$0] }
    for row in 0..<part.count {
      for (place, slot) in slots.enumerated() {
        let field =
          slot < width
          ? part.features.baseAddress! + (row * width + slot)
          : part.others.baseAddress! + (row * plan.otherCount + slot - width)
        if !field.pointee.isNaN { field.pointee = numbers[place][Int(field.pointee)] }
      }
    }
  }
}

/// The texts of a column in their natural order, without those that mean that a value is missing.
func categoryTexts(of column: Int, _ parts: [TablePart]) -> [String] {
  var texts: Set<String> = []
  for part in parts {
    for category in part.tables[column]!.categories where !category.isMissing { texts.insert(category.text) }
  }
  return naturallySorted(Array(texts))
}
