// A table of comma-separated values that a run has written, by the names of its columns.
import System
import Text

/// A row: its fields by column, and errors that say where it is.
struct CSVRow {
  let fields: [Substring]
  let number: Int
  fileprivate let file: FileLines

  /// A number from 0 up in `column`, which the header calls `name`.
  func number(_ column: Int, _ name: String) throws -> Double {
    guard let value = decimalNumber(fields[column]), value.isFinite, value >= 0 else {
      throw fail(
        "the column '\(name)' has '\(printable(String(fields[column])))'; a number from 0 up would be right")
    }
    return value
  }

  /// A whole number in `column`.
  func count(_ column: Int, _ name: String) throws -> Int {
    let value = try number(column, name)
    guard value <= Double(Lanes.numbers.upperBound), value == value.rounded() else {
      throw fail(
        "the column '\(name)' has '\(printable(String(fields[column])))'; a whole number would be right")
    }
    return Int(value)
  }

  func fail(_ what: String) -> DistsgdError { file.fail(number, what) }
}

struct CSVFile {
  private let lines: FileLines
  let header: [String]

  /// - Throws: `DistsgdError` (`noInput`, `inputOutput`, `badData`).
  init(_ path: String) throws {
    lines = try FileLines(path)
    var header: [String] = []
    try lines.forEach { text, number, isWhole in
      if number == 1, isWhole { header = csvFields(text).map { printable(String($0)) } }
    }
    self.header = header
  }

  /// The columns of these names.
  /// - Throws: `DistsgdError` (`badData`) where one is not there.
  func columns(_ names: String...) throws -> [Int] {
    try names.map { name in
      guard let column = header.firstIndex(of: name) else {
        throw lines.fail(
          1, "there is no column '\(name)'; it should be a header such as '\(names.joined(separator: ","))'")
      }
      return column
    }
  }

  /// Calls `body` with every whole line behind the header.
  func forEachRow(_ body: (CSVRow) throws -> Void) throws {
    try lines.forEach { text, number, isWhole in
      guard number > 1, isWhole, !text.isEmpty else { return }
      let row = CSVRow(fields: csvFields(text), number: number, file: lines)
      guard row.fields.count == header.count else {
        throw row.fail("there are \(row.fields.count) fields; the header has \(header.count)")
      }
      try body(row)
    }
  }
}

/// Fields between commas; one in quotation marks may have commas.
private func csvFields(_ line: UnsafeRawBufferPointer) -> [Substring] {
  var text = Substring(String(decoding: line, as: UTF8.self))
  if text.utf8.last == UInt8(ascii: "\r") { text.removeLast() }
  guard text.utf8.contains(UInt8(ascii: "\"")) else {
    return text.split(separator: ",", omittingEmptySubsequences: false)
  }
  var fields: [Substring] = []
  var field = ""
  var isQuoted = false
  for character in text.unicodeScalars {
    switch character {
    case "\"": isQuoted.toggle()
    case "," where !isQuoted:
      fields.append(Substring(field))
      field = ""
    default: field.unicodeScalars.append(character)
    }
  }
  return fields + [Substring(field)]
}
