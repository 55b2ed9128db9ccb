// SVG as text: elements, attributes, and what must be escaped in them.
import Text

/// Text for the inside of an element or an attribute, in XML and HTML alike: `visible` but for its line feeds. The
/// two characters that XML 1.0 forbids beside those become U+FFFD.
package func escaped(_ text: String) -> String {
  var result = ""
  for scalar in visible(text, keepsLines: true).unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// A coordinate in pixels with at most two decimals, the same text on every machine.
func coordinate(_ value: Double) -> String {
  let hundredths = Int((min(max(value, -1e9), 1e9) * 100).rounded())
  let (whole, rest) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
  let sign = hundredths < 0 ? "-" : ""
  if rest == 0 { return "\(sign)\(whole)" }
  if rest % 10 == 0 { return "\(sign)\(whole).\(rest / 10)" }
  return "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
}

/// An SVG document under construction.
struct SVGWriter {
  private(set) var text = ""
  /// Whether it is a part of a page, which has the style sheet already; else it is a whole file.
  let isPart: Bool

  init(isPart: Bool = false) { self.isPart = isPart }

  enum Anchor: String { case start, middle, end }

  mutating func open(width: Double, height: Double, title: String) {
    let (w, h) = (coordinate(width), coordinate(height))
    text += """
      <svg xmlns="http://www.w3.org/2000/svg" class="plot" width="\(w)" height="\(h)" viewBox="0 0 \(w) \(h)" \
      role="img">\(title.isEmpty ? "" : "<title>\(escaped(title))</title>")
      \(isPart ? "" : "<style>\(Palette.styleSheet)</style>\n")<rect class="plot-background" width="\(w)" height="\(h)"/>

      """
  }

  mutating func close() { text += "</svg>\n" }

  mutating func line(_ name: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) {
    text += "<line class=\"\(name)\" x1=\"\(coordinate(x1))\" y1=\"\(coordinate(y1))\""
    text += " x2=\"\(coordinate(x2))\" y2=\"\(coordinate(y2))\"/>\n"
  }

  mutating func path(_ name: String, _ data: String, dash: String = "") {
    text += "<path class=\"\(name)\"\(dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\"") d=\"\(data)\"/>\n"
  }

  /// A rectangle, with what a pointer on it is told.
  mutating func box(
    _ name: String, x: Double, y: Double, width: Double, height: Double, told words: String = ""
  ) {
    text += "<rect class=\"\(name)\" x=\"\(coordinate(x))\" y=\"\(coordinate(y))\""
    text += " width=\"\(coordinate(max(width, 0)))\" height=\"\(coordinate(max(height, 0)))\""
    text += words.isEmpty ? "/>\n" : "><title>\(escaped(words))</title></rect>\n"
  }

  mutating func label(
    _ words: String, x: Double, y: Double, size: Double, anchor: Anchor = .start, isBold: Bool = false,
    isUpright: Bool = false, of name: String = "plot-text"
  ) {
    text += "<text class=\"\(name)\" x=\"\(coordinate(x))\" y=\"\(coordinate(y))\""
    text += " font-size=\"\(coordinate(size))\" text-anchor=\"\(anchor.rawValue)\""
    if isBold { text += " font-weight=\"600\"" }
    if isUpright { text += " transform=\"rotate(-90 \(coordinate(x)) \(coordinate(y)))\"" }
    text += ">\(escaped(words))</text>\n"
  }
}
