// The one pass over a text table's bytes: fields to numbers, with the line and column of everything wrong.
import System
import Text

/// A position in a text table, and what is needed to read on from there.
struct TableParser {
  var position: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>
  let delimiter: Delimiter
  let source: String
  /// The line of the file at `position`, counted from 1.
  var line = 1
  /// Column names, once they are known.
  var names: [String] = []
  /// The line of the row that set the number of columns.
  var firstLine = 1
  var hasLabels = false

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
    line = whole.line
    names = whole.names
    firstLine = whole.firstLine
    hasLabels = whole.hasLabels
  }

  mutating func rewind(to start: UnsafePointer<UInt8>) {
    position = start
    line = 1
  }

  /// What a field ended with.
  enum FieldEnd { case delimiter, row }

  /// Reads all rows; returns how many.
  ///
  /// - Parameters:
  ///   - values: shape (rows, features), large enough for what the bytes can hold.
  ///   - targets: one value a row is appended where a target is chosen.
  mutating func parseRows(
    _ choice: ColumnChoice, into values: UnsafeMutableBufferPointer<Double>, targets: inout [Double]
  ) throws(DistsgdError) -> Int {
    let columnCount = names.count
    let width = choice.features.count
    // Where each column goes: a feature's position, `width` for the target, -1 for nowhere.
    var slots = [Int](repeating: -1, count: columnCount)
    for (position, column) in choice.features.enumerated() { slots[column] = position }
    if let target = choice.target { slots[target] = width }
    targets.reserveCapacity(width > 0 ? values.count / width : 0)
    var rows = 0
    while skipBlankLines() {
      let rowLine = line
      let base = rows * width
      var column = 0
      var ending = FieldEnd.delimiter
      while ending == .delimiter {
        guard column < columnCount else {
          throw try raggedRow(rowLine, atLeast: column)
        }
        let slot = slots[column]
        if slot < 0 {
          ending = try skipField(rowLine)
        } else {
          let value: Double
          (value, ending) = try numberField(column, rowLine)
          if slot < width {
            values.initializeElement(at: base + slot, to: value)
          } else {
            if hasLabels { try checkLabel(value, column, rowLine) }
            targets.append(value)
          }
        }
        column += 1
      }
      guard column == columnCount else { throw try raggedRow(rowLine, exactly: column) }
      rows += 1
    }
    return rows
  }

  /// One field as a number, the position moving past its delimiter or line end.
  @inline(__always)
  private mutating func numberField(
    _ column: Int, _ rowLine: Int
  ) throws(DistsgdError) -> (Double, FieldEnd) {
    skipBlanks()
    let (value, next) = scanNumber(position, end)
    if let next, value.isFinite {
      let start = position
      position = next
      if let ending = endField() { return (value, ending) }
      position = start
    }
    return try slowNumberField(column, rowLine)
  }

  /// A field that is not a plain finite number: quoted, or an error.
  @inline(never)
  private mutating func slowNumberField(
    _ column: Int, _ rowLine: Int
  ) throws(DistsgdError) -> (Double, FieldEnd) {
    let (text, ending) = try textField(rowLine)
    if let value = decimalNumber(text), value.isFinite { return (value, ending) }
    let place = "\(source) row \(rowLine), column '\(printable(names[column]))'"
    if text.isEmpty {
      throw DistsgdError(
        .badData,
        "empty field, \(place): expected a number; fill it in, delete the row, or leave the column out with --features"
      )
    }
    if missingValues.contains(text.lowercased()) || decimalNumber(text) != nil {
      throw DistsgdError(
        .badData,
        "'\(printable(text))' is not a finite number, \(place): fill it in, delete the row, or leave the column out with --features"
      )
    }
    throw DistsgdError(
      .badData,
      "'\(printable(text))' is not a number, \(place): expected one such as 1.5 or -2e3; columns of text can be left out with --features"
    )
  }

  private func checkLabel(_ value: Double, _ column: Int, _ rowLine: Int) throws(DistsgdError) {
    if let problem = labelProblem(value) {
      throw DistsgdError(
        .badData,
        "\(problem.what), \(source) row \(rowLine), column '\(printable(names[column]))': \(problem.hint)")
    }
  }

  // MARK: Ragged rows

  private mutating func raggedRow(_ rowLine: Int, atLeast count: Int) throws(DistsgdError) -> DistsgdError {
    var total = count
    var ending = FieldEnd.delimiter
    while ending == .delimiter {
      ending = try skipField(rowLine)
      total += 1
    }
    return try raggedRow(rowLine, exactly: total)
  }

  private func raggedRow(_ rowLine: Int, exactly count: Int) throws(DistsgdError) -> DistsgdError {
    DistsgdError(
      .badData,
      "\(count) \(count == 1 ? "field" : "fields"), \(source) row \(rowLine): expected \(names.count) as in row \(firstLine)"
    )
  }
}
