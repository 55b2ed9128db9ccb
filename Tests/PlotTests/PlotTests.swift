import Glibc
import Plot
import Testing

@Suite struct PlotTests {
  private let line = Series(name: "line", points: [(1, 1), (10, 100), (100, 10_000)])

  /// Every number in `attribute="…"`, in order.
  private func numbers(_ attribute: String, in svg: String) -> [Double] {
    svg.split(separator: " \(attribute)=\"").dropFirst().compactMap { Double($0.prefix { $0 != "\"" }) }
  }

  /// The tags of `svg` are closed in the order in which they were opened.
  private func isWellFormed(_ svg: String) -> Bool {
    var open: [Substring] = []
    for piece in svg.split(separator: "<") {
      guard let end = piece.firstIndex(of: ">") else { continue }
      let tag = piece[..<end]
      if tag.hasSuffix("/") { continue }
      if tag.hasPrefix("/") {
        guard open.popLast() == tag.dropFirst() else { return false }
      } else {
        open.append(tag.prefix { $0 != " " })
      }
    }
    return open.isEmpty
  }

  @Test func structure() {
    let svg = Plot(
      title: "A title", xLabel: "the x axis", yLabel: "the y axis", xScale: .logarithmic,
      yScale: .logarithmic, series: [line, Series(name: "dots", points: [(2, 3)], style: .markers)],
      referenceLines: [.init(.horizontal(50), label: "fifty"), .init(.vertical(20), label: "twenty")]
    ).svg(width: 700, height: 400)
    #expect(isWellFormed(svg))
    #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
    #expect(svg.contains("viewBox=\"0 0 700 400\""))
    #expect(svg.contains("@media (prefers-color-scheme:dark)"))
    for text in ["A title", "the x axis", "the y axis", "line", "dots", "fifty", "twenty", "1000"] {
      #expect(svg.contains(">\(text)</text>"), "\(text)")
    }
    #expect(svg.split(separator: "class=\"plot-line").count == 3)  // the curve, and its sample in the legend
    #expect(svg.split(separator: "class=\"plot-reference\"").count == 3)
    for x in numbers("x", in: svg) { #expect((0...700).contains(x)) }
    for y in numbers("y", in: svg) { #expect((0...400).contains(y)) }
  }

  @Test func sameBytesEveryTime() {
    let plot = Plot(title: "t", series: [line])
    #expect(plot.svg() == plot.svg())
  }

  @Test func textIsEscaped() {
    let words = "<b>&\"'\u{1}\u{7}"
    let svg = Plot(
      title: words, xLabel: words, yLabel: words, series: [Series(name: words, points: [(0, 0)])],
      referenceLines: [.init(.horizontal(0), label: words), .init(.vertical(0), label: words)]
    ).svg()
    #expect(isWellFormed(svg))
    #expect(!svg.contains("<b>"))
    #expect(svg.split(separator: "&lt;b&gt;&amp;&quot;&#39;\\u{01}\\u{07}").count == 8)
    #expect(escaped("a < b & c") == "a &lt; b &amp; c")
  }

  @Test(arguments: [Scale.linear, .logarithmic]) func nothingToShow(scale: Scale) {
    let nothing: [[(x: Double, y: Double)]] = [
      [], [(.nan, 1), (1, .nan)], [(.infinity, 1), (1, -.infinity)],
    ]
    for points in nothing {
      for style in [Series.Style.line, .markers, .lineAndMarkers] {
        let svg = Plot(xScale: scale, yScale: scale, series: [Series(name: "", points: points, style: style)])
          .svg()
        #expect(isWellFormed(svg))
        #expect(!svg.contains("<path"))
        #expect(!svg.lowercased().contains("nan\"") && !svg.contains("inf"))
      }
    }
    #expect(isWellFormed(Plot(xScale: scale, yScale: scale, series: []).svg()))
  }

  @Test func singlePoint() {
    for scale in [Scale.linear, .logarithmic] {
      for value in [1e-300, 3e-9, 0.25, 1, 7e12, 1e300] {
        let svg = Plot(
          xScale: scale, yScale: scale,
          series: [Series(name: "one", points: [(value, value)], style: .line)]
        ).svg()
        #expect(isWellFormed(svg))
        #expect(svg.contains("class=\"plot-marker plot-c0 plot-filled\""), "a lone point is a marker")
      }
    }
    #expect(isWellFormed(Plot(series: [Series(name: "zero", points: [(0, 0)])]).svg()))
  }

  @Test func nonPositiveValuesInterruptALogarithmicLine() {
    let points: [(x: Double, y: Double)] = [(1, 1), (2, 2), (3, 0), (4, -4), (5, 5), (6, 6)]
    let svg = Plot(yScale: .logarithmic, series: [Series(name: "", points: points, style: .line)]).svg()
    let data = svg.split(separator: "<path").dropFirst().first ?? ""
    #expect(data.count { $0 == "M" } == 2)
    #expect(data.count { $0 == "L" } == 2)
  }

  @Test func errorBars() {
    let points: [(x: Double, y: Double)] = [(1, 2), (2, 3)]
    let svg = Plot(series: [Series(name: "", points: points, errors: [0.5, .nan])]).svg()
    #expect(svg.split(separator: "class=\"plot-bar").count == 2)
    // Down to zero and below, which a logarithmic axis cannot show: no cap there, and no crash.
    let logarithmic = Plot(yScale: .logarithmic, series: [Series(name: "", points: points, errors: [5, 5])])
    let bars = logarithmic.svg().split(separator: "class=\"plot-bar").last!.split(separator: "\"/>").first!
    #expect(bars.count { $0 == "M" } == 4)
  }

  @Test func curvesStayInsideAChosenRange() {
    let points: [(x: Double, y: Double)] = [(-1e9, -1e9), (1e9, 1e9)]
    let svg = Plot(
      series: [Series(name: "", points: points)], xRange: 0...1, yRange: 0...1
    ).svg(width: 600, height: 400)
    let data = svg.split(separator: " d=\"").last!.prefix { $0 != "\"" }
    let places = data.split { "ML ".contains($0) }.compactMap { Double($0) }
    #expect(places.count == 4)
    for place in places { #expect((0...600).contains(place)) }
    // A range that a logarithmic axis cannot show is ignored.
    #expect(isWellFormed(Plot(xScale: .logarithmic, series: [line], xRange: -1...1).svg()))
  }

  /// Points that lie closer than a marker's size have none, but the last has: it is where the run ended.
  @Test func aCurvesLastPointHasAMarker() throws {
    let points = (0...1000).map { (x: Double($0), y: Double($0)) }
    func markers(_ points: [(x: Double, y: Double)]) -> [Substring] {
      let svg = Plot(series: [Series(name: "", points: points)], xRange: 0...1000, yRange: 0...1000).svg()
      let path = svg.split(separator: "class=\"plot-marker").last!
      return path.split(separator: " d=\"").last!.prefix { $0 != "\"" }.split(separator: "M")
    }
    let alone = markers([(1000, 1000)])
    let marked = markers(points)
    #expect(marked.last == alone.last)
    #expect(marked.count > 10 && marked.count < 200)
    // The one before it has made room.
    let places = marked.compactMap { Double($0.prefix { $0 != " " }) }
    for (a, b) in zip(places, places.dropFirst()) { #expect(b - a > 4) }
  }

  /// A column of numbers is one also where numbers are missing; a hash is none, whatever it begins with.
  @Test func tablesKnowTheirNumbers() {
    let html = HTMLPage(
      title: "t",
      sections: [
        .init(
          heading: "",
          blocks: [
            .table(
              header: ["run", "loss", "hash"], rows: [["a", "0.25", "3f9acb"], ["b", "diverged", "9e12"]])
          ])
      ]
    ).html
    #expect(html.contains("<tr><td>a</td><td class=\"number\">0.25</td><td>3f9acb</td></tr>"))
    #expect(html.contains("<tr><td>b</td><td class=\"number\">diverged</td><td>9e12</td></tr>"))
    #expect(html.contains("<th scope=\"col\" class=\"number\">loss</th>"))
  }

  /// What the file's size depends on is the picture, not the number of points.
  @Test func manyPointsMakeASmallFile() {
    let points = (0..<200_000).map { (x: Double($0), y: sin(Double($0) / 1e4)) }
    let svg = Plot(series: [Series(name: "many", points: points)]).svg()
    #expect(svg.utf8.count < 100_000)
  }

  @Test func legendsAndLabelsMakeRoomForThemselves() {
    let many = (0..<30).map {
      Series(name: "series number \($0) with a long name", points: [(0, Double($0))])
    }
    let svg = Plot(
      title: String(repeating: "A very long title ", count: 12), series: many,
      referenceLines: (0..<20).map { .init(.horizontal(10 + Double($0) / 100), label: "line \($0)") }
    ).svg(width: 500, height: 300)
    let height = numbers("height", in: svg)[0]
    #expect(height > 600)
    for y in numbers("y", in: svg) { #expect((0...height).contains(y)) }
    // The labels of lines that lie close together are pushed apart.
    let places = svg.split(separator: "<text").filter { $0.contains(">line ") }
      .compactMap { numbers("y", in: String($0)).first }.sorted()
    #expect(places.count == 20)
    for (a, b) in zip(places, places.dropFirst()) { #expect(b - a >= 14) }
  }

  @Test func pageIsSelfContained() {
    let html = HTMLPage(
      title: "A <page>", language: "zh",
      sections: [
        .init(
          heading: "One & two",
          blocks: [
            .paragraph("text <script>"), .preformatted("a  b\n<c>"),
            .table(header: ["name", "GFLOP/s"], rows: [["sgemm", "123.4"], ["−", "−1"]]),
            .plot(Plot(title: "p", series: [line])),
          ])
      ]
    ).html
    #expect(html.hasPrefix("<!DOCTYPE html>\n<html lang=\"zh\">"))
    #expect(html.contains("<title>A &lt;page&gt;</title>") && html.contains("<h2>One &amp; two</h2>"))
    #expect(!html.contains("<script") && !html.contains("src=") && !html.contains("href="))
    #expect(html.contains("<td>sgemm</td><td class=\"number\">123.4</td>"))
    #expect(html.contains("<td>−</td><td class=\"number\">−1</td>"))
    #expect(html.contains("<figcaption>p</figcaption>"))
    #expect(html.split(separator: "<svg").count == 3, "one for a wide screen, one for a narrow one")
    #expect(html.split(separator: "<style>").count == 2, "the page's own")
  }
}
