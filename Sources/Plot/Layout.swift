// Where everything stands: margins from measured texts, ticks that fit, and the drawing in order.

/// The parts of a plot in pixels.
struct Layout {
  private static let titleSize = 16.0
  private static let textSize = 13.0
  private static let tickSize = 12.0
  private static let margin = 12.0
  private static let titleHeight = 22.0
  private static let textHeight = 18.0
  private static let tickLength = 5.0

  private let plot: Plot
  private let width: Double
  private let height: Double
  private let title: [String]
  private let legend: Legend
  private let legendTop: Double
  private let xLabel: [String]
  private let yLabel: [String]
  private let frame: Frame
  private let xTicks: [Tick]
  private let yTicks: [Tick]
  private let rightLabels: [PlacedLabel]
  private let topLabels: [(label: PlacedLabel, row: Int)]

  /// - Parameters:
  ///   - isPart: whether the title stands beside the plot and not in it.
  ///   - topRows: rows of vertical lines' labels to leave room for.
  private init(_ plot: Plot, width: Double, height: Double, isPart: Bool, topRows: Int) {
    self.plot = plot
    self.width = width
    let inner = width - 2 * Self.margin
    title = isPart ? [] : wrapped(plot.title, width: inner, size: Self.titleSize)
    legend = Legend(names: plot.series.map(\.name), width: inner, fontSize: Self.textSize)
    xLabel = wrapped(plot.xLabel, width: 0.8 * inner, size: Self.textSize)
    let (xAxis, yAxis) = plot.axes

    legendTop = Self.margin + Double(title.count) * Self.titleHeight + (title.isEmpty ? 0 : 4)
    let rightTexts = Self.horizontalLabels(of: plot, on: yAxis, width: 0.24 * inner)
    let rightText = rightTexts.flatMap(\.lines).map { textWidth($0, size: Self.tickSize) }.max() ?? 0
    let right0 = rightText > 0 ? rightText + 16 + Self.margin : Self.margin

    let top = legendTop + legend.height + Double(topRows) * Self.textHeight + 10
    let bottomSpace =
      Self.margin + Double(xLabel.count) * Self.textHeight + Self.tickLength + Self.tickSize + 8
    self.height = max(height, top + bottomSpace + 140, Self.rightHeight(rightTexts) + top + bottomSpace)
    let bottom = self.height - bottomSpace
    yLabel = wrapped(plot.yLabel, width: 0.95 * (bottom - top), size: Self.textSize)

    yTicks = Self.fittingTicks(yAxis, length: bottom - top) { _ in Self.tickSize + 6 }
    let tickWidth = yTicks.compactMap(\.label).map { textWidth($0, size: Self.tickSize) }.max() ?? 0
    let left = Self.margin + Double(yLabel.count) * Self.textHeight + tickWidth + Self.tickLength + 10

    func ticks(right: Double) -> [Tick] {
      Self.fittingTicks(xAxis, length: max(width - left - right, 40)) {
        textWidth($0, size: Self.tickSize) + 12
      }
    }
    // The last label is centred on its tick and may stand out by half its width.
    let xLabels = ticks(right: right0).compactMap(\.label)
    let right = max(right0, (xLabels.map { textWidth($0, size: Self.tickSize) }.max() ?? 0) / 2 + 6)
    xTicks = ticks(right: right)
    let frame = Frame(
      left: left, top: top, right: max(width - right, left + 40), bottom: bottom, xAxis: xAxis, yAxis: yAxis)
    self.frame = frame
    rightLabels = spread(
      rightTexts.map { ($0.lines, frame.y($0.value)!, Double($0.lines.count) * 15 + 3) }, low: top,
      high: bottom)
    topLabels = Self.rows(of: plot, in: frame, width: width)
  }

  /// The layout of `plot` in `width` pixels, and `height` or more.
  static func fitting(_ plot: Plot, width: Double, height: Double, isPart: Bool) -> Layout {
    // The rows of labels above the plot depend on its width, which depends on the y ticks' labels, which
    // depend on the height that the rows leave: a second try has always been enough.
    var rows = 0
    for _ in 0..<3 {
      let layout = Layout(plot, width: width, height: height, isPart: isPart, topRows: rows)
      let needed = (layout.topLabels.map(\.row).max() ?? -1) + 1
      if needed <= rows { return layout }
      rows = needed
    }
    return Layout(plot, width: width, height: height, isPart: isPart, topRows: rows)
  }

  private static func rightHeight(_ labels: [(lines: [String], value: Double)]) -> Double {
    labels.reduce(0) { $0 + Double($1.lines.count) * 15 + 3 }
  }

  /// The most ticks whose labels do not meet. `extent` is the room a label takes along the axis.
  private static func fittingTicks(
    _ axis: Axis, length: Double, extent: (String) -> Double
  ) -> [Tick] {
    for limit in stride(from: min(10, max(2, Int(length / 36))), to: 1, by: -1) {
      let ticks = axis.ticks(atMost: limit)
      let labels = ticks.compactMap { tick in
        tick.label.map { (place: (axis.fraction(tick.value) ?? 0) * length, extent: extent($0)) }
      }
      if zip(labels, labels.dropFirst()).allSatisfy({ $1.place - $0.place >= ($0.extent + $1.extent) / 2 }) {
        return ticks
      }
    }
    return axis.ticks(atMost: 1)
  }

  private static func horizontalLabels(
    of plot: Plot, on axis: Axis, width: Double
  ) -> [(lines: [String], value: Double)] {
    plot.referenceLines.compactMap { line in
      guard case .horizontal(let y) = line.place, let fraction = axis.fraction(y), 0...1 ~= fraction else {
        return nil
      }
      let lines = wrapped(line.label, width: width, size: tickSize)
      return lines.isEmpty ? nil : (lines, y)
    }
  }

  /// The vertical lines' labels in rows above the plot, each beginning at its line, so that neither a label
  /// nor the thin line down from it meets another label.
  private static func rows(of plot: Plot, in frame: Frame, width: Double) -> [(label: PlacedLabel, row: Int)]
  {
    let labels = plot.referenceLines.compactMap { line -> (text: String, x: Double)? in
      guard case .vertical(let value) = line.place, let x = frame.x(value), !line.label.isEmpty,
        x >= frame.left, x <= frame.right
      else { return nil }
      return (line.label, x)
    }
    // From right to left: a label passes under those to its right, or stands above all of them.
    var starts: [Double] = []
    return labels.sorted { $0.x > $1.x }.map { label in
      let extent = textWidth(label.text, size: tickSize)
      let start = max(min(label.x - 2, width - margin - extent), margin)
      let row = starts.indices.first { start + extent + 10 <= starts[$0...].min()! } ?? starts.count
      if row == starts.count { starts.append(start) } else { starts[row] = start }
      return (PlacedLabel(lines: [label.text], wanted: label.x, place: start), row)
    }
  }

  func draw(to svg: inout SVGWriter) {
    svg.open(width: width, height: height, title: plot.title)
    for (i, line) in title.enumerated() {
      svg.label(
        line, x: Self.margin, y: Self.margin + Double(i) * Self.titleHeight + Self.titleSize,
        size: Self.titleSize, isBold: true)
    }
    legend.draw(plot.series, left: Self.margin, top: legendTop, fontSize: Self.textSize, to: &svg)
    drawAxes(to: &svg)
    drawReferenceLines(to: &svg)
    for (slot, series) in plot.series.enumerated() { series.draw(slot: slot, in: frame, to: &svg) }
    svg.close()
  }

  private func drawAxes(to svg: inout SVGWriter) {
    let xMarks = xTicks.compactMap { tick in frame.x(tick.value).map { (tick.label, $0) } }
    let yMarks = yTicks.compactMap { tick in frame.y(tick.value).map { (tick.label, $0) } }
    for (label, x) in xMarks where label != nil { svg.line("plot-grid", x, frame.top, x, frame.bottom) }
    for (label, y) in yMarks where label != nil { svg.line("plot-grid", frame.left, y, frame.right, y) }
    svg.line("plot-axis", frame.left, frame.top, frame.left, frame.bottom)
    svg.line("plot-axis", frame.left, frame.bottom, frame.right, frame.bottom)
    for (label, x) in xMarks {
      svg.line("plot-axis", x, frame.bottom, x, frame.bottom + (label == nil ? 3 : Self.tickLength))
      guard let label else { continue }
      svg.label(
        label, x: x, y: frame.bottom + Self.tickLength + Self.tickSize + 2, size: Self.tickSize,
        anchor: .middle)
    }
    for (label, y) in yMarks {
      svg.line("plot-axis", frame.left - (label == nil ? 3 : Self.tickLength), y, frame.left, y)
      guard let label else { continue }
      svg.label(
        label, x: frame.left - Self.tickLength - 4, y: y + 0.35 * Self.tickSize, size: Self.tickSize,
        anchor: .end)
    }
    for (i, line) in xLabel.enumerated() {
      svg.label(
        line, x: (frame.left + frame.right) / 2,
        y: height - Self.margin - Double(xLabel.count - 1 - i) * Self.textHeight, size: Self.textSize,
        anchor: .middle)
    }
    for (i, line) in yLabel.enumerated() {
      svg.label(
        line, x: Self.margin + Double(i) * Self.textHeight + Self.textSize, y: (frame.top + frame.bottom) / 2,
        size: Self.textSize, anchor: .middle, isUpright: true)
    }
  }

  private func drawReferenceLines(to svg: inout SVGWriter) {
    for line in plot.referenceLines {
      switch line.place {
      case .horizontal(let value):
        guard let y = frame.y(value), y >= frame.top, y <= frame.bottom else { continue }
        svg.line("plot-reference", frame.left, y, frame.right, y)
      case .vertical(let value):
        guard let x = frame.x(value), x >= frame.left, x <= frame.right else { continue }
        svg.line("plot-reference", x, frame.top, x, frame.bottom)
      }
    }
    for label in rightLabels {
      svg.line("plot-axis", frame.right, label.wanted, frame.right + 9, label.place)
      for (i, line) in label.lines.enumerated() {
        let offset = (Double(i) - Double(label.lines.count - 1) / 2) * 15
        svg.label(
          line, x: frame.right + 13, y: label.place + offset + 0.35 * Self.tickSize, size: Self.tickSize)
      }
    }
    for (label, row) in topLabels {
      let y = frame.top - 6 - Double(row) * Self.textHeight
      if row > 0 { svg.line("plot-grid", label.wanted, y + 3, label.wanted, frame.top) }
      svg.label(label.lines[0], x: label.place, y: y, size: Self.tickSize)
    }
  }
}
