// What all figures have in common: a title, and SVG as a file or as a part of a page.

/// A plot, a heat map, bars.
package protocol Figure: Sendable {
  var title: String { get }

  /// The figure as an SVG element of a page that has `HTMLPage`'s style sheet, without its title, which stands in the
  /// figure's caption. The same figure gives the same bytes.
  /// - Parameter width: in pixels; text is as large in a narrow figure as in a wide one.
  func element(width: Int) -> String
}
