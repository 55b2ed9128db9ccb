// A page that needs nothing else: texts, tables and plots in one HTML file, in light and in dark.

/// A self-contained HTML page: no scripts, no files, no network.
package struct HTMLPage: Sendable {
  /// A piece of a section. All text is escaped: none of it is taken as HTML.
  package enum Block: Sendable {
    case paragraph(String)
    /// Text in lines that stay as they are: a command, its output.
    case preformatted(String)
    /// Cells that look like numbers are set to the right.
    case table(header: [String], rows: [[String]])
    case plot(Plot)
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
      <style>\(Self.styleSheet)</style>
      </head>
      <body>
      <main>
      <h1>\(escaped(title))</h1>

      """
    for section in sections {
      text += "<section>\n"
      if !section.heading.isEmpty { text += "<h2>\(escaped(section.heading))</h2>\n" }
      for block in section.blocks { text += html(block) }
      text += "</section>\n"
    }
    return text + "</main>\n</body>\n</html>\n"
  }

  private func html(_ block: Block) -> String {
    switch block {
    case .paragraph(let text): return "<p>\(escaped(text))</p>\n"
    case .preformatted(let text): return "<pre>\(escaped(text))</pre>\n"
    case .plot(let plot): return "<figure>\n\(plot.svg())</figure>\n"
    case .table(let header, let rows):
      var text = "<div class=\"table\"><table>\n"
      if !header.isEmpty {
        text += "<thead><tr>" + header.map { "<th>\(escaped($0))</th>" }.joined() + "</tr></thead>\n"
      }
      text += "<tbody>\n"
      for row in rows {
        let cells = row.map { "<td\(looksNumeric($0) ? " class=\"number\"" : "")>\(escaped($0))</td>" }
        text += "<tr>" + cells.joined() + "</tr>\n"
      }
      return text + "</tbody>\n</table></div>\n"
    }
  }

  private func looksNumeric(_ cell: String) -> Bool {
    guard let first = cell.unicodeScalars.first else { return false }
    return "0"..."9" ~= first || ((first == "-" || first == "−") && cell.count > 1)
  }

  private static let styleSheet = """
    body{margin:0;background:#fff;color:#1a1a1a;font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,\
    "Noto Sans","DejaVu Sans",sans-serif}main{max-width:60rem;margin:0 auto;padding:1rem}\
    h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}figure{margin:1rem 0}\
    .table{overflow-x:auto}table{border-collapse:collapse}th,td{padding:.25rem .75rem;text-align:left;\
    border-bottom:1px solid #d0d0d0}.number{text-align:right;font-variant-numeric:tabular-nums}\
    pre{overflow-x:auto;padding:.75rem;background:#f4f4f4}
    @media (prefers-color-scheme:dark){body{background:#16181d;color:#e8e8e8}th,td{border-color:#44474f}\
    pre{background:#22252b}}
    """
}
