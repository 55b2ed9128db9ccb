// Bars in parts, one under the other: what a whole is made of, for several wholes.

/// Horizontal bars that all begin at zero, each in the same parts.
package struct StackedBars: Figure {
  /// A part of every bar.
  package struct Part: Sendable {
    package var name: String
    /// Empty but for its outline: time in which nothing is done.
    package var isHollow: Bool

    package init(_ name: String, isHollow: Bool = false) {
      self.name = name
      self.isHollow = isHollow
    }
  }

  package struct Bar: Sendable {
    package var label: String
    /// One for every part, from 0 up.
    package var values: [Double]

    package init(label: String, values: [Double]) {
      self.label = label
      self.values = values
    }
  }

  package var title: String
  package var xLabel: String
  package var yLabel: String
  package var parts: [Part]
  package var bars: [Bar]
  /// A value as it is told.
  package var format: @Sendable (Double) -> String

  package init(
    title: String, xLabel: String, yLabel: String, parts: [Part], bars: [Bar],
    format: @escaping @Sendable (Double) -> String
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.parts = parts
    self.bars = bars
    self.format = format
  }

  private static let size = 12.0
  private static let margin = 8.0

  private func look(_ part: Int) -> String {
    parts[part].isHollow ? "plot-hollow" : "plot-p\(part % Palette.lightParts.count)"
  }

  private func textLook(_ part: Int) -> String {
    if parts[part].isHollow { return "plot-text" }
    return part % Palette.lightParts.count % 2 == 0 ? "plot-on-even" : "plot-on-odd"
  }

  package func element(width: Int) -> String {
    let (size, margin) = (Self.size, Self.margin)
    let width = Double(max(width, 320))
    var svg = SVGWriter(isPart: true)
    let labels = bars.map { cut($0.label, width: 0.35 * width, size: size) }
    let totals = bars.map { bar in bar.values.reduce(0) { $0 + max($1, 0) } }
    let ends = totals.map(format)
    let left =
      margin + (yLabel.isEmpty ? 0 : 20) + (labels.map { textWidth($0, size: size) }.max() ?? 0) + 8
    let right = margin + (ends.map { textWidth($0, size: size) }.max() ?? 0) + 8
    let most = totals.max() ?? 0
    let axis = Axis(.linear, range: 0...(most > 0 ? most : 1)) ?? Axis(.linear, covering: [])
    let room = max(width - left - right, 40)
    let legend = places(width: width - 2 * margin)
    let top = margin + (Double((legend.last?.row ?? -1) + 1)) * 20 + 6
    let rowHeight = min(max(260 / Double(max(bars.count, 1)), 18), 30)
    let bottom = top + rowHeight * Double(bars.count)
    let xLines = wrapped(xLabel, width: width - 2 * margin, size: size)
    svg.open(width: width, height: bottom + 26 + 18 * Double(xLines.count) + margin, title: title)
    for place in legend {
      let y = margin + Double(place.row) * 20
      svg.box(look(place.part), x: margin + place.x + 0.5, y: y + 1.5, width: 13, height: 13)
      svg.label(parts[place.part].name, x: margin + place.x + 19, y: y + 12, size: size)
    }
    drawAxis(axis, left: left, room: room, top: top, bottom: bottom, to: &svg)
    for (i, line) in xLines.enumerated() {
      let half = textWidth(line, size: size) / 2
      svg.label(
        line, x: min(max(left + room / 2, half + 2), width - half - 2), y: bottom + 36 + 18 * Double(i),
        size: size, anchor: .middle)
    }
    for (row, bar) in bars.enumerated() {
      let y = top + Double(row) * rowHeight
      svg.label(labels[row], x: left - 6, y: y + rowHeight / 2 + 0.35 * size, size: size, anchor: .end)
      var start = 0.0
      for (part, value) in bar.values.enumerated() where value > 0 {
        draw(
          part, from: start, value, of: totals[row], bar,
          in: (left, room * (axis.fraction(1) ?? 0), y, rowHeight), to: &svg)
        start += value
      }
      svg.label(
        ends[row], x: left + room * (axis.fraction(totals[row]) ?? 0) + 6,
        y: y + rowHeight / 2 + 0.35 * size, size: size)
    }
    if !yLabel.isEmpty {
      svg.label(
        yLabel, x: margin + size, y: max((top + bottom) / 2, textWidth(yLabel, size: size) / 2), size: size,
        anchor: .middle, isUpright: true)
    }
    svg.close()
    return svg.text
  }

  private func draw(
    _ part: Int, from start: Double, _ value: Double, of total: Double, _ bar: Bar,
    in place: (left: Double, pixels: Double, y: Double, height: Double), to svg: inout SVGWriter
  ) {
    let share = percent(value / total)
    let x = place.left + start * place.pixels
    let length = value * place.pixels
    // A hollow part keeps its outline inside its place.
    let inset = parts[part].isHollow && length > 2 ? 0.5 : 0
    svg.box(
      look(part), x: x + inset, y: place.y + 2 + inset,
      width: max(length - (length > 3 ? 1 : 0) - inset, 0.3),
      height: place.height - 4 - 2 * inset,
      told: "\(bar.label), \(parts[part].name): \(format(value)), \(share)")
    if textWidth(share, size: 11) + 6 <= length {
      svg.label(
        share, x: x + length / 2, y: place.y + place.height / 2 + 4, size: 11, anchor: .middle,
        of: textLook(part))
    }
  }

  private func drawAxis(
    _ axis: Axis, left: Double, room: Double, top: Double, bottom: Double, to svg: inout SVGWriter
  ) {
    var ticks: [(x: Double, label: String)] = []
    for limit in stride(from: 8, to: 1, by: -1) {
      ticks = axis.ticks(atMost: limit).map {
        (left + (axis.fraction($0.value) ?? 0) * room, format($0.value))
      }
      let widths = ticks.map { textWidth($0.label, size: Self.size) + 12 }
      let fits = ticks.indices.dropFirst().allSatisfy {
        ticks[$0].x - ticks[$0 - 1].x >= (widths[$0] + widths[$0 - 1]) / 2
      }
      if fits { break }
    }
    for tick in ticks {
      svg.line("plot-grid", tick.x, top, tick.x, bottom + 4)
      svg.label(tick.label, x: tick.x, y: bottom + 18, size: Self.size, anchor: .middle)
    }
  }

  /// The legend's entries in rows.
  private func places(width: Double) -> [(part: Int, x: Double, row: Int)] {
    var places: [(part: Int, x: Double, row: Int)] = []
    var (x, row) = (0.0, 0)
    for (part, entry) in parts.enumerated() {
      let extent = 19 + textWidth(entry.name, size: Self.size)
      if x > 0, x + extent > width { (x, row) = (0, row + 1) }
      places.append((part, x, row))
      x += extent + 16
    }
    return places
  }
}

/// A share as `12 %`, or `0.4 %`.
package func percent(_ share: Double) -> String {
  guard share.isFinite else { return "–" }
  let tenths = (share * 1000).rounded() / 10
  return tenths != 0 && abs(tenths) < 1 ? "\(tenths) %" : "\(Int(min(max(tenths.rounded(), -1e6), 1e6))) %"
}
