// What is drawn: curves of points, and straight lines to compare them with.

/// One curve or cloud of points, with its own colour, dash and marker.
package struct Series: Sendable {
  /// How the points are shown.
  package enum Style: Sendable, Equatable {
    case line
    case markers
    case lineAndMarkers
    /// A line without dashes that stays behind others: of many points, beside the few that count.
    case thinLine
  }

  /// The name in the legend; a series without one is not listed.
  package var name: String
  /// In the order in which a line joins them. A point that cannot be drawn (not finite; zero or negative on a
  /// logarithmic axis) is left out and interrupts the line.
  package var points: [(x: Double, y: Double)]
  package var style: Style
  /// The ends of the error bar of every point in y; empty for none. Bars that are not finite are left out.
  package var errorBars: [(low: Double, high: Double)]
  /// The place in the palette; nil takes the series' own number. Two series with the same slot, such as a
  /// measurement and its theory, have one colour and differ in style.
  package var colorSlot: Int?
  /// The number by which colour, dash and marker are chosen; nil takes the series' own. Series of one run look alike
  /// in all figures.
  package var look: Int?
  /// What a pointer on each point is told; empty for nothing.
  package var told: [String] = []
  /// An area behind the line, such as from the least to the greatest of the values that a point stands for.
  package var band: [(x: Double, low: Double, high: Double)] = []

  /// - Parameter errors: half the length of every point's error bar (y ± error), or empty for none.
  /// - Precondition: as many errors as points, or none.
  package init(
    name: String, points: [(x: Double, y: Double)], style: Style = .lineAndMarkers, errors: [Double] = [],
    colorSlot: Int? = nil
  ) {
    precondition(errors.isEmpty || errors.count == points.count, "an error for every point, or none")
    self.init(
      name: name, points: points, style: style,
      errorBars: zip(points, errors).map { ($0.y - abs($1), $0.y + abs($1)) }, colorSlot: colorSlot)
  }

  /// - Parameter errorBars: the two ends of every point's error bar, such as the least and the greatest of
  ///   several measurements.
  /// - Precondition: as many error bars as points, or none.
  package init(
    name: String, points: [(x: Double, y: Double)], style: Style = .lineAndMarkers,
    errorBars: [(low: Double, high: Double)], colorSlot: Int? = nil
  ) {
    precondition(errorBars.isEmpty || errorBars.count == points.count, "a bar for every point, or none")
    self.name = name
    self.points = points
    self.style = style
    self.errorBars = errorBars
    self.colorSlot = colorSlot
  }
}

/// A straight line across the plot, with its label outside the curves: an optimum, a limit, an epoch's end.
package struct ReferenceLine: Sendable {
  package enum Place: Sendable, Equatable {
    /// y = value; the label stands to the right of the plot.
    case horizontal(Double)
    /// x = value; the label stands above the plot.
    case vertical(Double)
  }

  package var place: Place
  package var label: String

  package init(_ place: Place, label: String) {
    self.place = place
    self.label = label
  }
}
