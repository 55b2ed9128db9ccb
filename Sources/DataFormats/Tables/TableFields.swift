// The smallest pieces of a text table: blanks, fields with or without quotes, and line ends.
import System

extension TableParser {
  /// Moves past spaces, and tabs where they do not delimit.
  @inline(__always)
  mutating func skipBlanks() {
    while position < end,
      position.pointee == 0x20 || (position.pointee == 0x09 && delimiter != .tab)
    { position += 1 }
  }

  /// Moves past what follows a field's content; `nil` where the content goes on.
  @inline(__always)
  mutating func endField() -> FieldEnd? {
    if position < end, position.pointee == delimiter.rawValue, delimiter != .blanks {
      position += 1
      return .delimiter
    }
    let start = position
    skipBlanks()
    guard position < end else { return .row }
    let byte = position.pointee
    if isLineEnd(byte) {
      endLine()
      return .row
    }
    if delimiter == .blanks { return position > start ? .delimiter : nil }
    guard byte == delimiter.rawValue else { return nil }
    position += 1
    return .delimiter
  }

  /// Moves past one line end: LF, CR LF or CR.
  @inline(__always)
  mutating func endLine() {
    let byte = position.pointee
    position += 1
    if byte == 0x0D, position < end, position.pointee == 0x0A { position += 1 }
    line += 1
  }

  /// Moves to the next line with content, past comments; `false` at the end of the file.
  @inline(__always)
  mutating func skipBlankLines() -> Bool {
    while position < end {
      let start = position
      while position < end, position.pointee == 0x20 || position.pointee == 0x09 { position += 1 }
      guard position < end else { return false }
      if position.pointee == comment, comment != 0 {
        skipComment()
        continue
      }
      guard isLineEnd(position.pointee) else {
        // Leading tabs are empty fields where tabs delimit.
        if delimiter != .blanks { position = start }
        return true
      }
      endLine()
    }
    return false
  }

  /// Moves past a line that is a comment.
  @inline(never)
  private mutating func skipComment() {
    commentCount += 1
    while position < end, !isLineEnd(position.pointee) { position += 1 }
    if position < end { endLine() }
  }

  /// Whether a field that begins with this byte is quoted.
  @inline(__always)
  func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == secondQuote }

  /// Moves past a field whose value nobody wants.
  @inline(__always)
  mutating func skipField(_ rowLine: Int) throws(DistsgdError) -> FieldEnd {
    skipBlanks()
    if position < end, isQuote(position.pointee) { return try textField(rowLine).ending }
    while position < end {
      if let ending = endField() { return ending }
      position += 1
    }
    return .row
  }

  /// One field as text, unquoted, without the blanks around it.
  mutating func textField(_ rowLine: Int) throws(DistsgdError) -> (text: String, ending: FieldEnd) {
    skipBlanks()
    guard position < end, isQuote(position.pointee) else {
      let start = position
      while position < end {
        let stop = position
        if let ending = endField() { return (string(start, stop), ending) }
        position += 1
      }
      return (string(start, end), .row)
    }
    let quote = position.pointee
    position += 1
    var content: [UInt8] = []
    while position < end {
      let byte = position.pointee
      if byte == quote {
        position += 1
        if position < end, position.pointee == quote {
          content.append(byte)
          position += 1
          continue
        }
        guard let ending = endField() else {
          throw DistsgdError(
            .badData,
            "text after a closing quote, \(source) row \(rowLine): a quote within a quoted field is written twice"
          )
        }
        return (trimmed(content.withUnsafeBufferPointer(fieldText)), ending)
      }
      content.append(byte)
      if isLineEnd(byte) {
        let start = position
        endLine()
        if position - start == 2 { content.append(0x0A) }
      } else {
        position += 1
      }
    }
    throw DistsgdError(
      .badData,
      "a quoted field never ends, \(source) row \(rowLine): close it with \(Character(Unicode.Scalar(quote)))"
    )
  }

  /// One field's text as the number that `table` gives it.
  @inline(__always)
  mutating func categoryField(
    _ table: CategoryTable, _ rowLine: Int
  ) throws(DistsgdError) -> (Double, FieldEnd) {
    skipBlanks()
    guard position < end, !isQuote(position.pointee) else { return try quotedCategory(table, rowLine) }
    let start = position
    if let key = skipShortText() {
      let bytes = UnsafeBufferPointer(start: start, count: position - start)
      let value = table.value(of: bytes, key: key, line: rowLine, isKept: staysInMemory)
      return (value, endField()!)
    }
    return try longCategory(table, rowLine)
  }

  /// Moves past a text of at most seven bytes and none of them blank, to what ends it; returns its key.
  @inline(__always)
  private mutating func skipShortText() -> UInt64? {
    guard end - position >= 8, delimiter != .blanks else { return nil }
    let bytes = EightBytes(position)
    let ends = bytes.places(of: delimiter.rawValue) | bytes.places(of: 0x0A) | bytes.places(of: 0x0D)
    let blanks = bytes.places(of: 0x20) | bytes.places(of: 0x09)
    guard ends != 0, blanks.trailingZeroBitCount >= ends.trailingZeroBitCount else { return nil }
    let count = ends.trailingZeroBitCount >> 3
    position += count
    return CategoryTable.shortKey(bytes.word & (1 &<< UInt64(8 * count) &- 1), count: count)
  }

  /// One field of any length.
  @inline(never)
  private mutating func longCategory(
    _ table: CategoryTable, _ rowLine: Int
  ) throws(DistsgdError) -> (Double, FieldEnd) {
    let start = position
    if delimiter == .blanks {
      while position < end, position.pointee > 0x20 { position += 1 }
    } else {
      let mark = delimiter.rawValue
      while position < end, position.pointee != mark, !isLineEnd(position.pointee) { position += 1 }
    }
    var stop = position
    while stop > start, stop[-1] == 0x20 || stop[-1] == 0x09 { stop -= 1 }
    guard let ending = endField() else {
      // A control character among blanks.
      position = start
      return try quotedCategory(table, rowLine)
    }
    let bytes = UnsafeBufferPointer(start: start, count: stop - start)
    let value = table.value(
      of: bytes, key: CategoryTable.key(bytes), line: rowLine, isKept: staysInMemory)
    return (value, ending)
  }

  @inline(never)
  private mutating func quotedCategory(
    _ table: CategoryTable, _ rowLine: Int
  ) throws(DistsgdError) -> (Double, FieldEnd) {
    let (text, ending) = try textField(rowLine)
    var content = text
    let value = content.withUTF8 {
      table.value(of: $0, key: CategoryTable.key($0), line: rowLine, isKept: false)
    }
    return (value, ending)
  }

  /// The next row as text, with its line; `nil` at the end of the file.
  mutating func textRow() throws(DistsgdError) -> (fields: [String], line: Int)? {
    guard skipBlankLines() else { return nil }
    let rowLine = line
    var fields: [String] = []
    var ending = FieldEnd.delimiter
    while ending == .delimiter {
      let field = try textField(rowLine)
      fields.append(field.text)
      ending = field.ending
    }
    return (fields, rowLine)
  }

  private func string(_ start: UnsafePointer<UInt8>, _ stop: UnsafePointer<UInt8>) -> String {
    trimmed(fieldText(UnsafeBufferPointer(start: start, count: stop - start)))
  }

  private func trimmed(_ text: String) -> String {
    func isBlank(_ scalar: Unicode.Scalar) -> Bool {
      // The last is what ended a file of DOS.
      scalar.value == 0x20 || (0x09...0x0D).contains(scalar.value) || scalar.value == 0x1A
    }
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !isBlank($0) }),
      let last = scalars.lastIndex(where: { !isBlank($0) })
    else { return "" }
    return String(scalars[first...last])
  }
}
