// Numbers over two lists, as shades: ranks and steps, who waits for whom, classes and what they are taken for.

/// A table of numbers as cells that are the darker (in the dark, the brighter) the larger they are. Numbers stand in the
/// cells where there is room, and are told of every cell to a pointer.
package struct HeatMap: Figure {
  package struct Cell: Sendable {
    /// nil and what is not finite is left empty.
    package var value: Double?
    /// What stands in the cell where there is room.
    package var text: String
    /// What a pointer on the cell is told.
    package var told: String

    package init(_ value: Double?, text: String = "", told: String) {
      self.value = value
      self.text = text
      self.told = told
    }
  }

  package var title: String
  package var xLabel: String
  package var yLabel: String
  /// What the shades mean, with its unit.
  package var legend: String
  package var rows: [String]
  package var columns: [String]
  /// A row of cells for each of `rows`.
  package var cells: [[Cell]]
  /// How values become shades; those at most 0 have the least on a logarithmic scale.
  package var scale: Scale
  /// Whether zero is the least, however large all values are.
  package var startsAtZero: Bool
  /// Larger values have the shade of this one; nil: the greatest value has the last shade.
  package var most: Double?
  /// Whether every column must have its label; else some do, as far as there is room.
  package var labelsEveryColumn: Bool
  /// A value as the legend shows it.
  package var format: @Sendable (Double) -> String

  package init(
    title: String, xLabel: String, yLabel: String, legend: String, rows: [String], columns: [String],
    cells: [[Cell]], scale: Scale = .linear, startsAtZero: Bool = true, most: Double? = nil,
    labelsEveryColumn: Bool = false,
    format: @escaping @Sendable (Double) -> String
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.legend = legend
    self.rows = rows
    self.columns = columns
    self.cells = cells
    self.scale = scale
    self.startsAtZero = startsAtZero
    self.most = most
    self.labelsEveryColumn = labelsEveryColumn
    self.format = format
  }

  package func element(width: Int) -> String {
    var svg = SVGWriter(isPart: true)
    HeatMapLayout(self, width: Double(max(width, 320))).draw(to: &svg)
    return svg.text
  }

  /// The least and the greatest value that has a shade.
  var range: ClosedRange<Double> {
    let values = cells.joined().compactMap(\.value).filter(scale.shows)
    guard let least = values.min(), let greatest = values.max() else { return 0...1 }
    let low = startsAtZero && scale == .linear ? min(0, least) : least
    return low...max(low, min(greatest, most ?? greatest))
  }

  /// The shade of a value, from 0 to `Palette.lightHeat.count` − 1.
  func shade(_ value: Double, in range: ClosedRange<Double>) -> Int {
    let last = Palette.lightHeat.count - 1
    guard let axis = Axis(scale, range: range) else { return scale == .linear && value > 0 ? last : 0 }
    let fraction = axis.fraction(value) ?? (value > range.upperBound ? 1 : 0)
    return min(max(Int((fraction * Double(last)).rounded()), 0), last)
  }
}

/// The parts of a heat map in pixels.
private struct HeatMapLayout {
  private static let textSize = 12.0
  private static let margin = 8.0

  private let map: HeatMap
  private let width: Double
  private let height: Double
  private let rowLabels: [String]
  private let columnLabels: [(text: String, column: Int)]
  private let isUpright: Bool
  private let left: Double
  private let top: Double
  private let cellWidth: Double
  private let cellHeight: Double
  private let yLabel: [String]
  private let xLabel: [String]
  private let legend: [String]
  private let bottom: Double

  init(_ map: HeatMap, width: Double) {
    self.map = map
    self.width = width
    let size = Self.textSize
    rowLabels = map.rows.map { cut($0, width: 0.3 * width, size: size) }
    let rowWidth = rowLabels.map { textWidth($0, size: size) }.max() ?? 0
    left = Self.margin + (map.yLabel.isEmpty ? 0 : 20) + rowWidth + 8
    let room = width - left - Self.margin
    let columns = Double(max(map.columns.count, 1))
    // Few cells need not be as wide as the page.
    cellWidth = min(room / columns, max(72, 180 / columns))
    let rows = Double(max(map.rows.count, 1))
    cellHeight =
      map.labelsEveryColumn ? min(max(cellWidth, 16), 34) : min(max(240 / rows, 16), 30)

    let labels = map.columns.map { cut($0, width: 0.35 * width, size: size) }
    let widest = labels.map { textWidth($0, size: size) }.max() ?? 0
    isUpright = map.labelsEveryColumn && widest + 6 > cellWidth
    if map.labelsEveryColumn {
      // Upright labels need a line's height each.
      let every = isUpright ? max(1, Int((14 / cellWidth).rounded(.up))) : 1
      columnLabels = labels.indices.filter { $0 % every == 0 }.map { (labels[$0], $0) }
    } else {
      let every = max(1, Int(((widest + 14) / cellWidth).rounded(.up)))
      columnLabels = labels.indices.filter { $0 % every == 0 }.map { (labels[$0], $0) }
    }
    let note = map.scale == .logarithmic ? " (equal steps of shade are equal factors)" : ""
    legend = wrapped(map.legend + note, width: width - 2 * Self.margin, size: size)
    top = Self.margin + 16 * Double(legend.count) + 34
    bottom = top + rows * cellHeight
    yLabel = wrapped(map.yLabel, width: max(bottom - top, 120), size: size)
    xLabel = wrapped(map.xLabel, width: room, size: size)
    height =
      bottom + (isUpright ? widest + 10 : 20) + (xLabel.isEmpty ? 0 : 18 * Double(xLabel.count)) + Self.margin
  }

  func draw(to svg: inout SVGWriter) {
    svg.open(width: width, height: max(height, top + 130), title: map.title)
    drawLegend(to: &svg)
    drawCells(to: &svg)
    let size = Self.textSize
    let every = max(1, Int((14 / cellHeight).rounded(.up)))
    for (row, label) in rowLabels.enumerated() where row % every == 0 {
      svg.label(
        label, x: left - 6, y: top + (Double(row) + 0.5) * cellHeight + 0.35 * size, size: size, anchor: .end)
    }
    for (text, column) in columnLabels {
      let x = left + (Double(column) + 0.5) * cellWidth
      if isUpright {
        svg.label(text, x: x + 0.35 * size, y: bottom + 6, size: size, anchor: .end, isUpright: true)
      } else {
        // A label of the first or last columns stays inside.
        let half = textWidth(text, size: size) / 2
        svg.label(
          text, x: min(max(x, half + 2), width - half - 2), y: bottom + 16, size: size, anchor: .middle)
      }
    }
    let middle = left + Double(map.columns.count) * cellWidth / 2
    for (i, line) in xLabel.enumerated() {
      let half = textWidth(line, size: size) / 2
      svg.label(
        line, x: min(max(middle, half + 2), width - half - 2),
        y: height - Self.margin - 18 * Double(xLabel.count - 1 - i), size: size, anchor: .middle)
    }
    for (i, line) in yLabel.enumerated().prefix(1) {
      let half = textWidth(line, size: size) / 2
      svg.label(
        line, x: Self.margin + size + Double(i) * 16, y: max((top + bottom) / 2, top + half - 20), size: size,
        anchor: .middle, isUpright: true)
    }
    svg.close()
  }

  /// The shades from least to most, with numbers under both ends and the middle.
  private func drawLegend(to svg: inout SVGWriter) {
    let size = Self.textSize
    for (i, line) in legend.enumerated() {
      svg.label(line, x: Self.margin, y: Self.margin + size + 16 * Double(i), size: size)
    }
    let y = Self.margin + 16 * Double(legend.count) + 4
    let range = map.range
    let isCut = map.cells.joined().contains { ($0.value ?? 0) > range.upperBound }
    let texts = [map.format(range.lowerBound), (isCut ? "≥ " : "") + map.format(range.upperBound)]
    var x = Self.margin
    svg.label(texts[0], x: x, y: y + 0.95 * size, size: size)
    x += textWidth(texts[0], size: size) + 6
    for shade in Palette.lightHeat.indices {
      svg.box("plot-h\(shade)", x: x, y: y, width: 16, height: 14)
      x += 16
    }
    svg.label(texts[1], x: x + 6, y: y + 0.95 * size, size: size)
  }

  private func drawCells(to svg: inout SVGWriter) {
    let range = map.range
    let size = min(Self.textSize, cellHeight - 3)
    let gap = cellWidth > 8 ? 1.0 : 0
    let widest = map.cells.joined().map { textWidth($0.text, size: size) }.max() ?? 0
    let hasText = size >= 10 && widest > 0 && widest + 4 <= cellWidth
    for (row, cells) in map.cells.enumerated() {
      for (column, cell) in cells.enumerated() {
        guard let value = cell.value, value.isFinite else { continue }
        let x = left + Double(column) * cellWidth
        let y = top + Double(row) * cellHeight
        let shade = map.shade(value, in: range)
        svg.box(
          "plot-h\(shade)", x: x, y: y, width: cellWidth - gap, height: cellHeight - 1, told: cell.told)
        if hasText {
          svg.label(
            cell.text, x: x + cellWidth / 2, y: y + cellHeight / 2 + 0.35 * size, size: size, anchor: .middle,
            of: shade < 5 ? "plot-on-little" : "plot-on-much")
        }
      }
    }
  }
}

/// `text`, or as much of its beginning as there is room for.
func cut(_ text: String, width: Double, size: Double) -> String {
  if textWidth(text, size: size) <= width { return text }
  var shown = ""
  for character in text {
    if textWidth(shown + String(character) + "…", size: size) > width { break }
    shown.append(character)
  }
  return shown + "…"
}
