// A plot: what it shows, and how large its parts are.

/// Curves over two axes, as an SVG document that follows the reader's light or dark mode.
///
///     Plot(
///       title: "Loss", xLabel: "seconds", yLabel: "mean loss", xScale: .logarithmic,
///       series: [Series(name: "batch 10", points: points)]
///     ).svg()
package struct Plot: Figure {
  package var title: String
  package var xLabel: String
  package var yLabel: String
  package var xScale: Scale
  package var yScale: Scale
  package var series: [Series]
  package var referenceLines: [ReferenceLine]
  /// The part to show; nil is all of it. A range that the scale cannot show counts as nil.
  package var xRange: ClosedRange<Double>?
  package var yRange: ClosedRange<Double>?
  /// Whether a linear axis has zero at its bottom, as rates and shares should.
  package var yStartsAtZero: Bool

  package init(
    title: String = "", xLabel: String = "", yLabel: String = "", xScale: Scale = .linear,
    yScale: Scale = .linear, series: [Series], referenceLines: [ReferenceLine] = [],
    xRange: ClosedRange<Double>? = nil, yRange: ClosedRange<Double>? = nil, yStartsAtZero: Bool = false
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.xScale = xScale
    self.yScale = yScale
    self.series = series
    self.referenceLines = referenceLines
    self.xRange = xRange
    self.yRange = yRange
    self.yStartsAtZero = yStartsAtZero
  }

  /// The plot as one SVG element, which is also a whole file. The same plot gives the same bytes. It becomes
  /// higher than `height` when title and legend would leave too little of it for the curves.
  package func svg(width: Int = 760, height: Int = 480) -> String {
    svg(width: width, height: height, isPart: false)
  }

  package func element(width: Int) -> String {
    svg(width: width, height: min(400, 200 + width / 4), isPart: true)
  }

  private func svg(width: Int, height: Int, isPart: Bool) -> String {
    var svg = SVGWriter(isPart: isPart)
    Layout.fitting(
      self, width: Double(max(width, 320)), height: Double(max(height, 200)), isPart: isPart
    ).draw(to: &svg)
    return svg.text
  }

  /// The axes: the ranges asked for, or what the points, error bars and reference lines need.
  var axes: (x: Axis, y: Axis) {
    var xs: [Double] = []
    var ys: [Double] = []
    for one in series {
      for (index, point) in one.points.enumerated() where xScale.shows(point.x) && yScale.shows(point.y) {
        xs.append(point.x)
        ys.append(point.y)
        if index < one.errorBars.count { ys += [one.errorBars[index].low, one.errorBars[index].high] }
      }
      for part in one.band where xScale.shows(part.x) { ys += [part.low, part.high] }
    }
    for line in referenceLines {
      switch line.place {
      case .horizontal(let y): ys.append(y)
      case .vertical(let x): xs.append(x)
      }
    }
    if yStartsAtZero, yScale == .linear { ys.append(0) }
    return (
      xRange.flatMap { Axis(xScale, range: $0) } ?? Axis(xScale, covering: xs),
      yRange.flatMap { Axis(yScale, range: $0) } ?? Axis(yScale, covering: ys)
    )
  }
}
