// A page that needs nothing else: texts, tables and figures in one HTML file, in light and in dark, on a phone too.

/// A self-contained HTML page: no scripts, no files, no network.
package struct HTMLPage: Sendable {
  /// A piece of a section. All text is escaped: none of it is taken as HTML.
  package indirect enum Block: Sendable {
    case paragraph(String)
    /// Text in lines that stay as they are: a command, its output.
    case preformatted(String)
    /// Columns of numbers are set to the right. A table that is wider than the page scrolls by itself.
    case table(header: [String], rows: [[String]])
    /// With its title above it and `caption` below.
    case figure(any Figure, caption: String)
    /// Shown when it is asked for.
    case details(summary: String, [Block])
    /// An SVG document from elsewhere that has its title in it, as a picture that runs nothing.
    case picture(svg: String, title: String)

    package static func plot(_ plot: Plot) -> Block { .figure(plot, caption: "") }
  }

  package struct Section: Sendable {
    package var heading: String
    package var blocks: [Block]

    package init(heading: String, blocks: [Block]) {
      self.heading = heading
      self.blocks = blocks
    }
  }

  package var title: String
  /// The BCP 47 tag of the page's language.
  package var language: String
  package var sections: [Section]

  package init(title: String, language: String = "en", sections: [Section]) {
    self.title = title
    self.language = language
    self.sections = sections
  }

  /// The page's text; the same page gives the same bytes.
  package var html: String {
    var text = """
      <!DOCTYPE html>
      <html lang="\(escaped(language))">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(escaped(title))</title>
      <style>\(Self.styleSheet)
      \(Palette.styleSheet)</style>
      </head>
      <body>
      <main>
      <h1>\(escaped(title))</h1>

      """
    for section in sections {
      text += "<section>\n"
      if !section.heading.isEmpty { text += "<h2>\(escaped(section.heading))</h2>\n" }
      text += html(section.blocks)
      text += "</section>\n"
    }
    return text + "</main>\n</body>\n</html>\n"
  }

  /// Figures that follow each other stand side by side where there is room.
  private func html(_ blocks: [Block]) -> String {
    var text = ""
    var isInGrid = false
    for block in blocks {
      if block.isFigure != isInGrid { text += isInGrid ? "</div>\n" : "<div class=\"figures\">\n" }
      isInGrid = block.isFigure
      text += html(block)
    }
    return text + (isInGrid ? "</div>\n" : "")
  }

  private func html(_ block: Block) -> String {
    switch block {
    case .paragraph(let text): return "<p>\(escaped(text))</p>\n"
    case .preformatted(let text): return "<pre tabindex=\"0\">\(escaped(text))</pre>\n"
    case .figure(let figure, let caption):
      // Two drawings, so that text has one size on all screens; the style sheet shows one of them.
      return """
        <figure>
        \(captionText(figure.title))\
        <div class="wide">\(figure.element(width: 720))</div>
        <div class="narrow">\(figure.element(width: 372))</div>
        \(caption.isEmpty ? "" : "<p class=\"note\">\(escaped(caption))</p>\n")</figure>

        """
    case .details(let summary, let blocks):
      return "<details>\n<summary>\(escaped(summary))</summary>\n\(html(blocks))</details>\n"
    case .picture(let svg, let title):
      return """
        <figure>
        <div class="scroll" tabindex="0" role="region" aria-label="\(escaped(title))">\
        <img alt="\(escaped(title))" src="data:image/svg+xml;base64,\(base64(svg))"></div>
        </figure>

        """
    case .table(let header, let rows): return table(header, rows)
    }
  }

  private func table(_ header: [String], _ rows: [[String]]) -> String {
    let name = header.filter { !$0.isEmpty }.prefix(4).joined(separator: ", ")
    let columns = rows.map(\.count).max() ?? 0
    let areNumbers = (0..<max(columns, header.count)).map { column in
      let cells = rows.filter { column < $0.count && !Self.isNeutral($0[column]) }.map { $0[column] }
      return !cells.isEmpty && cells.allSatisfy(looksNumeric)
    }
    func attribute(_ cell: String, _ column: Int) -> String {
      areNumbers[column] ? " class=\"number\"" : cell.unicodeScalars.count > 32 ? " class=\"long\"" : ""
    }
    var text =
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"\(escaped(name))\"><table>\n"
    if !header.isEmpty {
      let cells = header.enumerated().map { column, cell in
        "<th scope=\"col\"\(attribute("", column))>\(escaped(cell))</th>"
      }
      text += "<thead><tr>\(cells.joined())</tr></thead>\n"
    }
    text += "<tbody>\n"
    for row in rows {
      let cells = row.enumerated().map { column, cell in
        "<td\(attribute(cell, column))>\(escaped(cell))</td>"
      }
      text += "<tr>\(cells.joined())</tr>\n"
    }
    return text + "</tbody>\n</table></div>\n"
  }

  /// What stands for a number that is not there.
  private static func isNeutral(_ cell: String) -> Bool { ["", "-", "–", "diverged"].contains(cell) }

  private func captionText(_ title: String) -> String {
    title.isEmpty ? "" : "<figcaption>\(escaped(title))</figcaption>\n"
  }

  /// A number, with a unit or what else may follow a blank; no hash that happens to begin with a digit.
  private func looksNumeric(_ cell: String) -> Bool {
    var rest = cell.unicodeScalars.prefix { $0 != " " }
    if let first = rest.first, "-−+".unicodeScalars.contains(first) { rest.removeFirst() }
    guard let first = rest.first, "0"..."9" ~= first else { return false }
    let mantissa = rest.drop { "0"..."9" ~= $0 || ".,·".unicodeScalars.contains($0) }
    guard let next = mantissa.first else { return true }
    return next == "%" || next == "×"
      || (next == "e" && mantissa.dropFirst().allSatisfy { "+-0123456789".unicodeScalars.contains($0) })
  }
}

extension HTMLPage.Block {
  fileprivate var isFigure: Bool {
    switch self {
    case .figure, .picture: true
    default: false
    }
  }
}

extension HTMLPage {
  fileprivate static let styleSheet = """
    *{box-sizing:border-box}body{margin:0;background:#fff;color:#1a1a1a;font:16px/1.5 system-ui,-apple-system,\
    "Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;overflow-wrap:anywhere}\
    main{max-width:98rem;margin:0 auto;padding:1rem clamp(.75rem,2.5vw,2.5rem) 3rem}\
    h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0 1rem}\
    h2{font-size:1.2rem;line-height:1.3;margin:2.5rem 0 .75rem;padding-top:.75rem;border-top:1px solid #d8d8d8}\
    section:first-of-type h2{border-top:0;margin-top:0;padding-top:0}\
    p{max-width:44rem;margin:.5rem 0}.note{font-size:.875rem;color:#555;margin:.25rem 0 0}\
    .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,40rem),1fr));gap:1.5rem 2rem;\
    align-items:start;margin:1rem 0}figure{margin:0;min-width:0}\
    figcaption{font-weight:600;margin-bottom:.25rem}figure .plot{display:block;width:100%}\
    .wide .plot{max-width:760px}.narrow .plot{max-width:480px}.wide{display:none}\
    @media (min-width:680px){.wide{display:block}.narrow{display:none}}\
    .scroll{overflow-x:auto;max-width:100%;margin:.75rem 0}.scroll img{display:block;min-width:640px;max-width:100%}\
    table{border-collapse:collapse;font-size:.9rem;line-height:1.35}\
    th,td{padding:.3rem .75rem;text-align:left;vertical-align:top;border-bottom:1px solid #e4e4e4}\
    th{white-space:nowrap;vertical-align:bottom;border-bottom-color:#8a8a8a}td{white-space:nowrap}td.long{white-space:normal;min-width:14rem;max-width:36rem}\
    th:first-child,td:first-child{padding-left:0}\
    .number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
    details{margin:.75rem 0}summary{cursor:pointer;color:#0b5c92}\
    pre{overflow-x:auto;padding:.75rem;background:#f4f4f4;font-size:.85rem;overflow-wrap:normal}
    @media (prefers-color-scheme:dark){body{background:#16181d;color:#e8e8e8}h2{border-color:#3a3d45}\
    th,td{border-color:#33363d}th{border-bottom-color:#85888f}.note{color:#a8abb2}summary{color:#7cc0f0}\
    pre{background:#22252b}}
    @media print{.scroll{overflow:visible}}
    """
}

/// RFC 4648.
private func base64(_ text: String) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  let bytes = Array(text.utf8)
  var result: [UInt8] = []
  result.reserveCapacity((bytes.count + 2) / 3 * 4)
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
    for place in 0..<4 {
      result.append(
        place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
    }
  }
  return String(decoding: result, as: UTF8.self)
}
