// Text of others made fit to be shown: what a terminal or a page would obey, or hide, is written out instead.

extension Unicode.Scalar {
  /// Whether it shows nothing of itself and may change what is shown around it: control characters (Cc: ESC, CR, the
  /// C1 codes), format characters (Cf: those that turn the direction of text, and blanks without a width), and the
  /// separators of lines and paragraphs (Zl, Zp).
  package var isUnseen: Bool {
    if value < 0x7F { return value < 0x20 }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }
}

/// `text` with every unseen character as `\u{1B}`, `\n` or `\t`; the same text if it has none.
/// - Parameter keepsLines: whether line feeds stay.
package func visible(_ text: String, keepsLines: Bool = false) -> String {
  func mustBeWritten(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isUnseen && !(keepsLines && scalar == "\n")
  }
  // Nearly all text is plain, and there may be megabytes of it.
  if text.utf8.allSatisfy({ 0x20..<0x7F ~= $0 || keepsLines && $0 == 0x0A })
    || !text.unicodeScalars.contains(where: mustBeWritten)
  {
    return text
  }
  var result = ""
  for scalar in text.unicodeScalars {
    if mustBeWritten(scalar) {
      result += scalar.escaped(asASCII: true)
    } else {
      result.unicodeScalars.append(scalar)
    }
  }
  return result
}
