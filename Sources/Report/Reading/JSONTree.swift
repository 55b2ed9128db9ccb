// A JSON value of any form, for the few events and files that are kept whole.
import System
import Text

/// A value with its members in the file's order.
package indirect enum JSONTree: Sendable {
  case null
  case bool(Bool)
  case number(Double, text: String)
  case string(String)
  case array([JSONTree])
  case object([(name: String, value: JSONTree)])

  /// Reads the value that `scanner` stands before.
  /// - Parameter text: what the scanner reads.
  init(_ scanner: inout JSONScanner, of text: UnsafeRawBufferPointer, depth: Int = 0) throws {
    guard depth < 16 else {
      throw JSONScanner.Failure(what: "values are nested too deep", offset: scanner.offset)
    }
    switch kind(at: scanner.offset, of: text) {
    case UInt8(ascii: "{"):
      var members: [(name: String, value: JSONTree)] = []
      try scanner.object { scanner, name in
        members.append((name, try JSONTree(&scanner, of: text, depth: depth + 1)))
      }
      self = .object(members)
    case UInt8(ascii: "["):
      self = .array(
        try scanner.array { scanner throws in try JSONTree(&scanner, of: text, depth: depth + 1) })
    case UInt8(ascii: "\""): self = .string(try scanner.string())
    case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
      let letter = kind(at: scanner.offset, of: text)
      try scanner.skipValue()
      self = letter == UInt8(ascii: "n") ? .null : .bool(letter == UInt8(ascii: "t"))
    default:
      let start = scanner.offset
      let value = try scanner.number()
      let digits = String(decoding: text[start..<scanner.offset], as: UTF8.self)
      self = .number(value, text: digits.trimmingBlanks)
    }
  }

  package var number: Double? { if case .number(let value, _) = self { value } else { nil } }
  package var string: String? { if case .string(let text) = self { text } else { nil } }
  package var array: [JSONTree]? { if case .array(let elements) = self { elements } else { nil } }
  var isNull: Bool { if case .null = self { true } else { false } }

  /// A whole number that is one of something: a count, a rank.
  package var count: Int? {
    guard let number, number >= 0, number <= 0x1p53, number == number.rounded() else { return nil }
    return Int(number)
  }

  package subscript(name: String) -> JSONTree? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// As a person reads it, of at most some 200 characters.
  package var words: String {
    switch self {
    case .null: "–"
    case .bool(let value): value ? "yes" : "no"
    case .number(let value, let text):
      // An integer as it stands; of a fraction what a float has.
      text.utf8.contains { ".eE".utf8.contains($0) } ? shortNumber(value, 7) : String(text.prefix(40))
    case .string(let text): printable(text, limit: 200)
    case .array(let elements):
      elements.prefix(12).map(\.words).joined(separator: ", ")
        + (elements.count > 12 ? " and \(elements.count - 12) more" : "")
    case .object(let members):
      members.prefix(12).map { "\(printable($0.name)) \($0.value.words)" }.joined(separator: ", ")
    }
  }
}

/// The first byte of the value at or behind `offset`; 0 at the text's end.
func kind(at offset: Int, of text: UnsafeRawBufferPointer) -> UInt8 {
  text.dropFirst(offset).first { $0 > 0x20 } ?? 0
}

extension String {
  fileprivate var trimmingBlanks: String { String(drop { $0.isWhitespace }) }
}
