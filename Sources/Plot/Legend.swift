// The legend: rows above the plot, where no curve can be.

/// The places of the legend's entries, from their measured widths.
struct Legend {
  struct Entry {
    let series: Int
    let lines: [String]
    let x: Double
    /// From the legend's top to the middle of the entry's first line.
    let y: Double
  }

  static let sampleWidth = 30.0
  private static let sampleGap = 6.0
  private static let entryGap = 20.0
  private static let lineHeight = 18.0

  let entries: [Entry]
  let height: Double

  init(names: [String], width: Double, fontSize: Double) {
    var entries: [Entry] = []
    var x = 0.0
    var top = 0.0
    var rowHeight = 0.0
    for (index, name) in names.enumerated() {
      let lines = wrapped(name, width: width - Self.sampleWidth - Self.sampleGap, size: fontSize)
      if lines.isEmpty { continue }
      let textWidths = lines.map { textWidth($0, size: fontSize) }
      let entryWidth = Self.sampleWidth + Self.sampleGap + textWidths.max()!
      if x > 0, x + entryWidth > width {
        x = 0
        top += rowHeight
        rowHeight = 0
      }
      entries.append(Entry(series: index, lines: lines, x: x, y: top + Self.lineHeight / 2))
      x += entryWidth + Self.entryGap
      rowHeight = max(rowHeight, Double(lines.count) * Self.lineHeight)
    }
    self.entries = entries
    height = top + rowHeight
  }

  func draw(_ series: [Series], left: Double, top: Double, fontSize: Double, to svg: inout SVGWriter) {
    for entry in entries {
      let x = left + entry.x
      let y = top + entry.y
      series[entry.series].drawSample(slot: entry.series, x: x, y: y, width: Self.sampleWidth, to: &svg)
      for (i, line) in entry.lines.enumerated() {
        svg.label(
          line, x: x + Self.sampleWidth + Self.sampleGap,
          y: y + 0.35 * fontSize + Double(i) * Self.lineHeight, size: fontSize)
      }
    }
  }
}
