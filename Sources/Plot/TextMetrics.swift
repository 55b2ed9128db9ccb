// How wide a text will be, without a font: a table of approximate widths, on the wide side.

/// The approximate width of `text` in pixels, in a sans-serif font of `size` pixels.
package func textWidth(_ text: String, size: Double) -> Double {
  text.unicodeScalars.reduce(0) { $0 + scalarWidth($1) } * size
}

/// Width in em, after DejaVu Sans, one of the widest fonts that a browser may take for `sans-serif`.
private func scalarWidth(_ scalar: Unicode.Scalar) -> Double {
  switch scalar {
  case "i", "j", "l", "I", "'", "|", ".", ",", ":", ";", "!", " ", "·", "‘", "’", "\u{2009}": return 0.32
  case "f", "t", "r", "(", ")", "[", "]", "/", "\\", "-", "\"", "J": return 0.40
  case "m", "M", "W", "w", "%", "@", "—", "…": return 1.0
  case "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹", "⁻": return 0.42
  case "s", "c", "z", "x", "k", "v", "y": return 0.58
  case "a"..."z", "0"..."9", "–": return 0.64
  case "+", "=", "<", ">", "~", "−", "×", "±", "≤", "≥", "#": return 0.84
  case "A"..."Z": return 0.76
  case "√", "∞", "Σ", "→", "‖": return 0.84
  case "\u{300}"..."\u{36F}", "\u{200B}"..."\u{200D}", "\u{FE00}"..."\u{FE0F}": return 0
  case "\u{2E80}"..."\u{D7FF}", "\u{F900}"..."\u{FAFF}", "\u{FF00}"..."\u{FFEF}": return 1.0
  case "\u{1F000}"...: return 1.3
  default: return 0.7
  }
}

/// `text` in lines of at most `width` pixels, broken at blanks, and inside words that are longer than a line.
package func wrapped(_ text: String, width: Double, size: Double) -> [String] {
  var lines: [String] = []
  var line = ""
  for word in text.split(whereSeparator: \.isWhitespace) {
    let longer = line.isEmpty ? String(word) : line + " " + word
    if textWidth(longer, size: size) <= width {
      line = longer
      continue
    }
    if !line.isEmpty { lines.append(line) }
    line = ""
    for character in word {
      if !line.isEmpty, textWidth(line + String(character), size: size) > width {
        lines.append(line)
        line = ""
      }
      line.append(character)
    }
  }
  if !line.isEmpty { lines.append(line) }
  return lines
}
