// Reads JSON one token at a time, for small headers of a known form: nothing is kept but what is asked for.

/// A cursor over JSON text that the caller walks in the form it expects.
///
/// Text that is not JSON, or not of that form, throws a `JSONScanner.Failure`; no input traps.
package struct JSONScanner {
  /// What the scanner found, and what should be there.
  package struct Failure: Error {
    package var what: String
    /// The byte in the text at which it was found, from 0.
    package var offset: Int

    package init(what: String, offset: Int) {
      self.what = what
      self.offset = offset
    }
  }

  private let bytes: UnsafeRawBufferPointer
  package private(set) var offset = 0

  package init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// Reads an object; `member` is called after each key and must read its value.
  package mutating func object(_ member: (inout JSONScanner, String) throws -> Void) throws {
    try expect(UInt8(ascii: "{"))
    if accept(UInt8(ascii: "}")) { return }
    repeat {
      let key = try string()
      try expect(UInt8(ascii: ":"))
      try member(&self, key)
    } while accept(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
  }

  /// Reads an array, each element by `element`.
  package mutating func array<Element>(_ element: (inout JSONScanner) throws -> Element) throws -> [Element] {
    var elements: [Element] = []
    try expect(UInt8(ascii: "["))
    if accept(UInt8(ascii: "]")) { return elements }
    repeat { elements.append(try element(&self)) } while accept(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
    return elements
  }

  /// Reads an array of whole numbers from 0 up.
  package mutating func naturalNumbers() throws -> [Int] {
    try array { scanner throws in try scanner.naturalNumber() }
  }

  /// Reads a number, as the nearest double.
  package mutating func number() throws -> Double {
    skipBlanks()
    let start = offset
    while let byte = peek(), Self.isNumeric(byte) { offset += 1 }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    guard let value = Double(text), value.isFinite else {
      throw Failure(what: "there should be a number", offset: start)
    }
    return value
  }

  private static func isNumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  /// Passes over a value of any form; nested ones to a depth that no file of ours has.
  package mutating func skipValue(depth: Int = 0) throws {
    if depth > 32 { throw Failure(what: "values are nested too deep", offset: offset) }
    skipBlanks()
    switch peek() {
    case UInt8(ascii: "{"): try object { scanner, _ throws in try scanner.skipValue(depth: depth + 1) }
    case UInt8(ascii: "["): _ = try array { scanner throws in try scanner.skipValue(depth: depth + 1) }
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): if !accept("true") { throw Failure(what: "there should be true", offset: offset) }
    case UInt8(ascii: "f"):
      if !accept("false") { throw Failure(what: "there should be false", offset: offset) }
    case UInt8(ascii: "n"): if !accept("null") { throw Failure(what: "there should be null", offset: offset) }
    default: _ = try number()
    }
  }

  /// Passes over a value of any form, and returns its text.
  package mutating func text() throws -> String {
    skipBlanks()
    let start = offset
    try skipValue()
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  /// Reads a whole number from 0 up, without exponent or fraction.
  package mutating func naturalNumber() throws -> Int {
    skipBlanks()
    let start = offset
    var value = 0
    while let byte = peek(), case UInt8(ascii: "0")...UInt8(ascii: "9") = byte {
      let (product, overflow1) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow2) = product.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      if overflow1 || overflow2 { throw Failure(what: "the number is too large", offset: start) }
      value = sum
      offset += 1
    }
    if offset == start { throw Failure(what: "there should be a whole number", offset: start) }
    if offset - start > 1, bytes[start] == UInt8(ascii: "0") {
      throw Failure(what: "a number starts with 0", offset: start)
    }
    return value
  }

  /// Reads true or false.
  package mutating func boolean() throws -> Bool {
    skipBlanks()
    if accept("true") { return true }
    guard accept("false") else { throw Failure(what: "there should be true or false", offset: offset) }
    return false
  }

  /// Reads a string.
  package mutating func string() throws -> String {
    skipBlanks()
    let start = offset
    guard accept(UInt8(ascii: "\"")) else { throw Failure(what: "there should be a string", offset: start) }
    var text: [UInt8] = []
    while let byte = peek() {
      offset += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw Failure(what: "the string is not UTF-8", offset: start)
        }
        return string
      case UInt8(ascii: "\\"):
        text.append(contentsOf: String(Character(try escape())).utf8)
      case 0..<0x20:
        throw Failure(what: "a control character stands in the string", offset: offset - 1)
      default:
        text.append(byte)
      }
    }
    throw Failure(what: "the string has no end", offset: start)
  }

  /// Checks that only blanks are left.
  package mutating func end() throws {
    skipBlanks()
    if offset < bytes.count { throw Failure(what: "there is more than one value", offset: offset) }
  }

  /// Reads what follows a backslash: one letter, or `u` and four hex digits, twice for a surrogate pair.
  private mutating func escape() throws -> Unicode.Scalar {
    let start = offset - 1
    guard let letter = peek() else { throw Failure(what: "the string has no end", offset: start) }
    offset += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var code = try fourHexDigits()
      if 0xD800..<0xDC00 ~= code, accept("\\u") {
        let low = try fourHexDigits()
        guard 0xDC00..<0xE000 ~= low else {
          throw Failure(what: "half a surrogate pair stands in the string", offset: start)
        }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else {
        throw Failure(what: "half a surrogate pair stands in the string", offset: start)
      }
      return scalar
    default: throw Failure(what: "the string has an unknown escape", offset: start)
    }
  }

  private mutating func fourHexDigits() throws -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw Failure(what: "there should be four hex digits", offset: offset)
      }
      code = code << 4 | UInt32(digit)
      offset += 1
    }
    return code
  }

  private func peek() -> UInt8? {
    offset < bytes.count ? bytes[offset] : nil
  }

  /// Whether `byte` comes next after blanks; if so it is read.
  private mutating func accept(_ byte: UInt8) -> Bool {
    skipBlanks()
    guard peek() == byte else { return false }
    offset += 1
    return true
  }

  /// Whether `text` comes next, without blanks; if so it is read.
  private mutating func accept(_ text: StaticString) -> Bool {
    let wanted = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    guard bytes.dropFirst(offset).starts(with: wanted) else { return false }
    offset += wanted.count
    return true
  }

  private mutating func expect(_ byte: UInt8) throws {
    if !accept(byte) {
      throw Failure(what: "there should be a '\(Character(Unicode.Scalar(byte)))'", offset: offset)
    }
  }

  private mutating func skipBlanks() {
    while let byte = peek(), byte == 0x20 || (0x09...0x0D ~= byte && byte != 0x0B && byte != 0x0C) {
      offset += 1
    }
  }
}
