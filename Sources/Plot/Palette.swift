// Colours, dashes and markers: told apart without colour vision, on paper, in light and in dark.

/// The looks of series number `slot`. Colours after Okabe and Ito (2008), "Color universal design"; those of
/// the dark variant are the brighter ones of the same set. Seven colours and eight markers: 56 combinations.
enum Palette {
  static let light = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]
  static let dark = ["#56b4e9", "#e69f00", "#00b386", "#cc79a7", "#f0e442", "#e8702a", "#ffffff"]

  /// Steps of heat maps from little to much. Lightness falls (in the dark: rises) from each to the next, so that they
  /// are in order without colour too: OKLCH (Ottosson 2020), L 0.965 to 0.345 and 0.25 to 0.93, hue about 250°.
  static let lightHeat = [
    "#e1f7ff", "#b2e0ff", "#88c8ff", "#64aef5", "#4a94e3", "#3a7aca", "#3262ab", "#2d4c86", "#27385e",
  ]
  static let darkHeat = [
    "#15213b", "#183565", "#124c8e", "#0067b2", "#0083cf", "#28a0e5", "#59bdf3", "#8ed7fb", "#c6efff",
  ]

  /// Parts of bars: neighbours differ in lightness, even ones are light.
  static let lightParts = [
    "#8cc9f0", "#0072b2", "#f0b26b", "#b34a00", "#8fd0b8", "#00795a", "#d9a6c3", "#8a5475", "#b9b9b9",
  ]
  static let darkParts = [
    "#a8d8f5", "#2e8bc9", "#f5c48a", "#c9641f", "#a5e0cb", "#1f9c79", "#e3b8d0", "#a06a8c", "#77797f",
  ]

  private static let dashes = ["", "8 4", "2 3", "10 3 2 3", "5 3", "12 4", "8 3 2 3 2 3", "1 3"]

  static func colorClass(_ slot: Int) -> String { "plot-c\(slot % light.count)" }

  static func dash(_ slot: Int) -> String { dashes[slot % dashes.count] }

  /// The style sheet of every plot; the same text in each, so that several can share a page.
  static let styleSheet: String = {
    func rules(
      _ colors: [String], heat: [String], parts: [String], background: String, text: String, faint: String,
      axis: String
    ) -> String {
      var css = ".plot-background{fill:\(background)}.plot-text{fill:\(text)}"
      css += ".plot-grid{stroke:\(faint)}.plot-axis{stroke:\(axis)}.plot-reference{stroke:\(text)}"
      for (i, color) in colors.enumerated() {
        css += ".plot-c\(i){stroke:\(color)}.plot-c\(i).plot-filled,.plot-c\(i).plot-band{fill:\(color)}"
      }
      for (i, color) in heat.enumerated() { css += ".plot-h\(i){fill:\(color)}" }
      for (i, color) in parts.enumerated() { css += ".plot-p\(i){fill:\(color)}" }
      css += ".plot-hollow{fill:\(background);stroke:\(axis)}"
      // Text on little and much heat, and on the light and dark parts of bars.
      let (white, black) = ("#ffffff", "#1a1a1a")
      let isDark = heat[0] == darkHeat[0]
      css += ".plot-on-little{fill:\(isDark ? white : black)}.plot-on-much{fill:\(isDark ? black : white)}"
      return css + ".plot-on-even{fill:\(black)}.plot-on-odd{fill:\(isDark ? black : white)}"
    }
    let fonts = "system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",\"DejaVu Sans\",sans-serif"
    let lightRules = rules(
      light, heat: lightHeat, parts: lightParts, background: "#ffffff", text: "#1a1a1a", faint: "#e2e2e2",
      axis: "#5a5a5a")
    let darkRules = rules(
      dark, heat: darkHeat, parts: darkParts, background: "#16181d", text: "#e8e8e8", faint: "#33363d",
      axis: "#a0a0a0")
    return """
      .plot{max-width:100%;height:auto;font-family:\(fonts)}.plot-line{fill:none;stroke-width:2;\
      stroke-linejoin:round}.plot-thin{stroke-width:1.2}.plot-band{stroke-width:0;fill-opacity:.16}.plot-hollow{\
      stroke-width:1}.plot-unseen{fill:transparent}.plot-marker{fill:none;stroke-width:1.8}.plot-bar{stroke-width:1.2}\
      .plot-grid,.plot-axis{stroke-width:1}.plot-reference{stroke-width:1.2;stroke-dasharray:3 3}
      \(lightRules)
      @media (prefers-color-scheme:dark){\(darkRules)}
      """
  }()
}

/// The shape of a marker.
enum Marker: Int, CaseIterable {
  case circle, square, triangle, diamond, cross, plus, downTriangle, ring

  init(slot: Int) { self = Self.allCases[slot % Self.allCases.count] }

  /// Crosses and the ring are strokes; the others are filled.
  var isFilled: Bool { self != .cross && self != .plus && self != .ring }

  /// SVG path data of the marker around (x, y).
  func path(x: Double, y: Double, radius r: Double = 4) -> String {
    func polygon(_ corners: [(Double, Double)]) -> String {
      "M" + corners.map { "\(coordinate(x + r * $0.0)) \(coordinate(y + r * $0.1))" }.joined(separator: "L")
        + "Z"
    }
    switch self {
    case .circle, .ring:
      let (left, right, y, r) = (coordinate(x - r), coordinate(x + r), coordinate(y), coordinate(r))
      return "M\(left) \(y)A\(r) \(r) 0 1 1 \(right) \(y)A\(r) \(r) 0 1 1 \(left) \(y)Z"
    case .square: return polygon([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)])
    case .triangle: return polygon([(0, -1.15), (1.1, 0.85), (-1.1, 0.85)])
    case .diamond: return polygon([(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)])
    case .downTriangle: return polygon([(0, 1.15), (1.1, -0.85), (-1.1, -0.85)])
    case .cross:
      let (left, right) = (coordinate(x - r), coordinate(x + r))
      let (top, bottom) = (coordinate(y - r), coordinate(y + r))
      return "M\(left) \(top)L\(right) \(bottom)M\(left) \(bottom)L\(right) \(top)"
    case .plus:
      let d = 1.25 * r
      return "M\(coordinate(x - d)) \(coordinate(y))L\(coordinate(x + d)) \(coordinate(y))"
        + "M\(coordinate(x)) \(coordinate(y - d))L\(coordinate(x)) \(coordinate(y + d))"
    }
  }
}
