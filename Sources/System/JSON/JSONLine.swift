// One JSON object on one line, built by appending bytes: what `metrics.jsonl` is made of.

/// A value that can be written as JSON.
package protocol JSONValue {
  /// Appends the value's JSON text (UTF-8, no line breaks) to `buffer`.
  func appendJSON(to buffer: inout [UInt8])
}

/// A JSON object under construction, its keys in the order in which they were set.
///
///     var line = JSONLine(event: "step")
///     line["step"] = 3
///     line["loss"] = loss
///     line.append(to: &buffer)  // {"event":"step","step":3,"loss":0.25} and a line feed
///
/// Setting a key appends it; nothing is looked up, so a key must be set only once.
package struct JSONLine: Sendable {
  /// The text so far, without the closing brace.
  private var text: [UInt8]

  /// An object without members.
  package init() {
    text = [UInt8(ascii: "{")]
  }

  /// An object whose first member is `"event"`.
  package init(event: String) {
    self.init()
    text.reserveCapacity(256)
    self["event"] = event
  }

  /// Appends the member `key`. It can be set only, and only once.
  package subscript<Value: JSONValue>(key: String) -> Value {
    @available(*, unavailable, message: "a JSONLine is only written")
    get { fatalError("a JSONLine is only written") }
    set {
      if text.count > 1 { text.append(UInt8(ascii: ",")) }
      key.appendJSON(to: &text)
      text.append(UInt8(ascii: ":"))
      newValue.appendJSON(to: &text)
    }
  }

  /// Takes all members away but keeps the memory, for a line that is written often.
  package mutating func reset(event: String) {
    text.removeAll(keepingCapacity: true)
    text.append(UInt8(ascii: "{"))
    self["event"] = event
  }

  /// Appends the object and a line feed to `buffer`.
  package func append(to buffer: inout [UInt8]) {
    appendJSON(to: &buffer)
    buffer.append(UInt8(ascii: "\n"))
  }
}

extension JSONLine: JSONValue, CustomStringConvertible {
  package func appendJSON(to buffer: inout [UInt8]) {
    buffer.append(contentsOf: text)
    buffer.append(UInt8(ascii: "}"))
  }

  /// The object, without a line feed.
  package var description: String { String(decoding: text + [UInt8(ascii: "}")], as: UTF8.self) }
}

extension Bool: JSONValue {
  package func appendJSON(to buffer: inout [UInt8]) {
    buffer.append(contentsOf: (self ? "true" : "false").utf8)
  }
}

extension Int: JSONValue {}
extension Int32: JSONValue {}
extension UInt64: JSONValue {}

extension JSONValue where Self: FixedWidthInteger {
  package func appendJSON(to buffer: inout [UInt8]) {
    appendASCII(description, to: &buffer)
  }
}

extension Double: JSONValue {}
extension Float: JSONValue {}

extension JSONValue where Self: BinaryFloatingPoint & CustomStringConvertible {
  /// The shortest decimal that reads back as the same number; `null` where it is not finite, for
  /// which JSON has no number.
  package func appendJSON(to buffer: inout [UInt8]) {
    appendASCII(isFinite ? description : "null", to: &buffer)
  }
}

/// Appends a string's bytes in one piece; `append(contentsOf: text.utf8)` goes byte by byte.
@inline(__always)
private func appendASCII(_ text: String, to buffer: inout [UInt8]) {
  var text = text
  text.withUTF8 { buffer.append(contentsOf: $0) }
}

extension String: JSONValue {
  package func appendJSON(to buffer: inout [UInt8]) {
    buffer.append(UInt8(ascii: "\""))
    var text = self
    text.withUTF8 { bytes in
      if bytes.contains(where: mayNeedEscape) {
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
          appendEscaped(scalar, to: &buffer)
        }
      } else {
        buffer.append(contentsOf: bytes)
      }
    }
    buffer.append(UInt8(ascii: "\""))
  }
}

@inline(__always)
private func mayNeedEscape(_ byte: UInt8) -> Bool {
  !(0x20..<0x7F ~= byte) || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
}

/// What JSON must have escaped, and what nobody would see: the string's value is the same, and a terminal that shows
/// the line obeys nothing in it.
private func appendEscaped(_ scalar: Unicode.Scalar, to buffer: inout [UInt8]) {
  switch scalar {
  case "\n": buffer.append(contentsOf: #"\n"#.utf8)
  case "\r": buffer.append(contentsOf: #"\r"#.utf8)
  case "\t": buffer.append(contentsOf: #"\t"#.utf8)
  case "\"", "\\": buffer.append(contentsOf: [UInt8(ascii: "\\"), UInt8(scalar.value)])
  case _ where scalar.isUnseen:
    for unit in UTF16.encode(scalar)! {
      let digits = String(0x1_0000 + Int(unit), radix: 16).dropFirst()
      appendASCII(#"\u"# + digits, to: &buffer)
    }
  default: buffer.append(contentsOf: UTF8.encode(scalar)!)
  }
}

extension Optional: JSONValue where Wrapped: JSONValue {
  package func appendJSON(to buffer: inout [UInt8]) {
    if let self { self.appendJSON(to: &buffer) } else { buffer.append(contentsOf: "null".utf8) }
  }
}

extension Array: JSONValue where Element: JSONValue {
  package func appendJSON(to buffer: inout [UInt8]) {
    buffer.append(UInt8(ascii: "["))
    for (index, element) in enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      element.appendJSON(to: &buffer)
    }
    buffer.append(UInt8(ascii: "]"))
  }
}
