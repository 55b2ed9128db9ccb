// The one pass over a text table's bytes: fields to numbers, with the line and column of everything wrong.
import System
import Text

/// A position in a text table, and what is needed to read on from there.
struct TableParser {
  var position: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>
  let source: String
  var delimiter: Delimiter
  /// `"`, or `'` where that quotes too.
  var secondQuote = UInt8(ascii: "\"")
  /// What a line begins with that is a comment; 0: there are none.
  var comment: UInt8 = 0
  /// The decimal mark.
  var point = UInt8(ascii: ".")
  /// A row may end with one delimiter more.
  var hasTrailingDelimiter = false
  /// The line of the file at `position`, counted from 1.
  var line = 1
  /// Whether the bytes live as long as what is read of them.
  var staysInMemory = true
  /// Lines of comments that were passed over.
  var commentCount = 0
  /// Column names, once they are known.
  var names: [String] = []
  /// The line of the row that set the number of columns.
  var firstLine = 1

  init(
    position: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>, delimiter: Delimiter, source: String
  ) {
    self.position = position
    self.end = end
    self.delimiter = delimiter
    self.source = source
  }

  /// A part of what `whole` would read.
  init(_ whole: TableParser, from start: UnsafePointer<UInt8>, to stop: UnsafePointer<UInt8>) {
    self.init(position: start, end: stop, delimiter: whole.delimiter, source: whole.source)
    secondQuote = whole.secondQuote
    comment = whole.comment
    point = whole.point
    hasTrailingDelimiter = whole.hasTrailingDelimiter
    line = whole.line
    names = whole.names
    firstLine = whole.firstLine
  }

  /// What a field ended with.
  enum FieldEnd { case delimiter, row }

  /// Reads all rows into `part`, which has room for what the bytes can hold.
  mutating func parseRows(_ plan: TablePlan, into part: inout TablePart) throws(DistsgdError) {
    let columnCount = names.count
    let width = plan.featureCount
    let otherCount = plan.otherCount
    let missing = plan.missing
    let missingNumbers = missing.ownNumbers
    let hasMissingNumbers = !missingNumbers.isEmpty
    let kinds = plan.kinds
    // Where each column goes: a feature's position, `width` and up for the others, −1 for nowhere.
    let slots = plan.slots
    let values = part.features
    let others = part.others
    var rows = 0
    while skipBlankLines() {
      let rowLine = line
      let base = rows * width
      var column = 0
      var ending = FieldEnd.delimiter
      while ending == .delimiter {
        guard column < columnCount else {
          if try isTrailingEnd(rowLine, column) { break }
          throw try raggedRow(rowLine, atLeast: column)
        }
        let slot = slots[column]
        if slot < 0 {
          ending = try skipField(rowLine)
        } else {
          var value: Double
          switch kinds[column] {
          case .number:
            (value, ending) = try numberField(column, rowLine, missing, &part)
            if hasMissingNumbers, missingNumbers.contains(value) {
              part.note(missing: "\(value)", column, rowLine)
              value = .nan
            }
          case .category:
            (value, ending) = try categoryField(part.tables[column]!, rowLine)
            if value.isNaN { part.note(missing: "", column, rowLine) }
          case .date: (value, ending) = try dateField(column, rowLine, missing, &part)
          case .identifier:
            let field = try textField(rowLine)
            part.identifiers.append(field.text)
            (value, ending) = (0, field.ending)
          }
          if slot < width {
            values.initializeElement(at: base + slot, to: value)
          } else {
            others.initializeElement(at: rows * otherCount + slot - width, to: value)
          }
        }
        column += 1
      }
      guard column == columnCount else { throw raggedRow(rowLine, exactly: column) }
      rows += 1
    }
    part.count = rows
  }

  /// One field as a number, the position moving past its delimiter or line end.
  @inline(__always)
  private mutating func numberField(
    _ column: Int, _ rowLine: Int, _ missing: MissingWords, _ part: inout TablePart
  ) throws(DistsgdError) -> (Double, FieldEnd) {
    skipBlanks()
    let (value, next) = scanNumber(position, end, point: point)
    if let next, value.isFinite {
      let start = position
      position = next
      if let ending = endField() { return (value, ending) }
      position = start
    }
    return try slowNumberField(column, rowLine, missing, &part)
  }

  /// A field that is not a plain finite number: quoted, missing, or a text, which the part tells of.
  @inline(never)
  private mutating func slowNumberField(
    _ column: Int, _ rowLine: Int, _ missing: MissingWords, _ part: inout TablePart
  ) throws(DistsgdError) -> (Double, FieldEnd) {
    let (text, ending) = try textField(rowLine)
    if let value = number(text), value.isFinite, !missing.own.contains(text) { return (value, ending) }
    if missing.contains(text, amongNumbers: true) {
      part.note(missing: text, column, rowLine)
    } else if isInfinite(text) || number(text) != nil {
      throw DistsgdError(
        .badData,
        "'\(printable(text))' is not a finite number, \(source) row \(rowLine), column '\(printable(names[column]))': \(ColumnNames(names: names, source: source).wayOut(text, in: column))"
      )
    } else {
      part.note(text: text, column, rowLine)
    }
    return (.nan, ending)
  }

  /// A date as seconds.
  private mutating func dateField(
    _ column: Int, _ rowLine: Int, _ missing: MissingWords, _ part: inout TablePart
  ) throws(DistsgdError) -> (Double, FieldEnd) {
    let (text, ending) = try textField(rowLine)
    if let date = DateText(text) { return (date.seconds, ending) }
    if missing.contains(text, amongNumbers: true) {
      part.note(missing: text, column, rowLine)
    } else {
      part.note(text: text, column, rowLine)
    }
    return (.nan, ending)
  }

  /// The number that is the whole of a field's text.
  func number(_ text: String) -> Double? {
    guard point == UInt8(ascii: ",") else { return decimalNumber(text) }
    guard !text.contains(".") else { return nil }
    return decimalNumber(text.split(separator: ",", omittingEmptySubsequences: false).joined(separator: "."))
  }

  // MARK: Ragged rows

  /// Whether a row that should have ended has one empty field more, as all of the table may.
  private mutating func isTrailingEnd(_ rowLine: Int, _ column: Int) throws(DistsgdError) -> Bool {
    guard hasTrailingDelimiter else { return false }
    let start = self
    let field = try textField(rowLine)
    if field.text.isEmpty, field.ending == .row { return true }
    self = start
    return false
  }

  private mutating func raggedRow(_ rowLine: Int, atLeast count: Int) throws(DistsgdError) -> DistsgdError {
    var total = count
    var ending = FieldEnd.delimiter
    while ending == .delimiter {
      ending = try skipField(rowLine)
      total += 1
    }
    return raggedRow(rowLine, exactly: total)
  }

  private func raggedRow(_ rowLine: Int, exactly count: Int) -> DistsgdError {
    DistsgdError(
      .badData,
      "\(count) \(count == 1 ? "field" : "fields"), \(source) row \(rowLine): expected \(names.count) as in row \(firstLine)"
    )
  }
}
