// Heat maps and stacked bars: shades in the order of values, bars as long as what they show.
import Plot
import Testing

@Suite struct FigureTests {
  private func heatMap(_ values: [[Double?]], scale: Scale = .linear, every: Bool = true) -> HeatMap {
    HeatMap(
      title: "t", xLabel: "x", yLabel: "y", legend: "l", rows: values.indices.map { "r\($0)" },
      columns: (values.first ?? []).indices.map { "c\($0)" },
      cells: values.enumerated().map { row, values in
        values.enumerated().map { HeatMap.Cell($1, text: "\($1 ?? 0)", told: "told \(row) \($0)") }
      }, scale: scale, labelsEveryColumn: every, format: { "\($0)" })
  }

  /// The shade of every cell, by what is told of it.
  private func shades(_ svg: String) -> [String: Int] {
    var found: [String: Int] = [:]
    for line in svg.split(separator: "\n") where line.contains("<title>told") {
      let shade = line.split(separator: "plot-h")[1].prefix { $0.isNumber }
      let words = line.split(separator: "<title>")[1].prefix { $0 != "<" }
      found[String(words)] = Int(shade)
    }
    return found
  }

  @Test func shadesAreInTheOrderOfValues() {
    let values: [[Double?]] = [(0..<20).map { Double($0) }]
    let found = shades(heatMap(values).element(width: 720))
    let row = (0..<20).map { found["told 0 \($0)"] ?? -1 }
    #expect(row == row.sorted() && row.first == 0 && row.last == 8 && Set(row).count == 9)
    let factors: [[Double?]] = [(0..<9).map { Double(1 << $0) }]
    let logarithmic = shades(heatMap(factors, scale: .logarithmic).element(width: 720))
    #expect((0..<9).map { logarithmic["told 0 \($0)"] } == (0..<9).map { $0 })
  }

  @Test func whatIsBeyondTheMostHasTheLastShade() {
    var map = heatMap([[1, 2, 4, 1000]], scale: .logarithmic)
    map.most = 4
    let svg = map.element(width: 720)
    #expect((0..<4).map { shades(svg)["told 0 \($0)"] } == [0, 4, 8, 8] && svg.contains(">≥ 4.0</text>"))
  }

  @Test func whatIsNoNumberIsEmpty() {
    let svg = heatMap([[nil, .nan, .infinity, 0], [1, -1, 2, 1e300]]).element(width: 372)
    #expect(Set(shades(svg).keys) == ["told 0 3", "told 1 0", "told 1 1", "told 1 2", "told 1 3"])
    #expect(!svg.contains("nan\"") && !svg.contains("inf\""))
    for nothing: [[Double?]] in [[], [[]], [[nil]], [[0]], [[-3]], [[2, 2]]] {
      for scale in [Scale.linear, .logarithmic] {
        #expect(heatMap(nothing, scale: scale).element(width: 372).hasSuffix("</svg>\n"))
      }
    }
  }

  /// Text lies inside the figure, whatever its labels are, in the estimate that is on the wide side.
  @Test(arguments: [372, 720], [(2, 2), (8, 64), (32, 32), (50, 50)])
  func labelsStayInside(width: Int, size: (rows: Int, columns: Int)) {
    for every in [true, false] {
      let values = (0..<size.rows).map { row in (0..<size.columns).map { Double?(Double(row * $0)) } }
      var map = heatMap(values, every: every)
      map.columns = (0..<size.columns).map { "a class with a long name \($0)" }
      map.rows = (0..<size.rows).map { "a class with a long name \($0)" }
      let svg = map.element(width: width)
      let height = Double(svg.split(separator: " height=\"")[1].prefix { $0 != "\"" }) ?? 0
      for text in svg.split(separator: "<text ").dropFirst() {
        func number(_ name: String) -> Double {
          Double((" " + text).split(separator: " \(name)=\"").dropFirst().first?.prefix { $0 != "\"" } ?? "")
            ?? -1
        }
        let words = String(text.split(separator: ">")[1].prefix { $0 != "<" })
        let extent = textWidth(words, size: number("font-size"))
        let isUpright = text.contains("rotate(-90")
        let end = text.contains("\"end\"") ? extent : text.contains("\"middle\"") ? extent / 2 : 0
        if isUpright {
          #expect(number("x") >= 0 && number("x") <= Double(width) && number("y") + end <= height, "\(words)")
        } else {
          #expect(number("x") - end >= -0.5 && number("x") - end + extent <= Double(width) + 0.5, "\(words)")
        }
        #expect(number("y") >= 0 && number("y") <= height, "\(words)")
      }
    }
  }

  @Test func barsAreAsLongAsTheirValues() throws {
    let bars = StackedBars(
      title: "t", xLabel: "x", yLabel: "y",
      parts: [.init("work"), .init("late"), .init("wait", isHollow: true)],
      bars: [
        .init(label: "a", values: [3, 0, 1]), .init(label: "b", values: [1, 2, 1]),
        .init(label: "c", values: [0, 0, 0]),
      ],
      format: { "\($0) s" })
    let svg = bars.element(width: 720)
    func bar(_ told: String) throws -> (x: Double, width: Double) {
      let line = try #require(
        svg.split(separator: "\n").first { $0.contains("<title>\(told)</title>") }, "\(told)")
      func number(_ name: String) -> Double {
        Double(line.split(separator: " \(name)=\"")[1].prefix { $0 != "\"" }) ?? .nan
      }
      return (number("x"), number("width"))
    }
    let work = try bar("a, work: 3.0 s, 75 %")
    let shorter = try bar("b, work: 1.0 s, 25 %")
    let late = try bar("b, late: 2.0 s, 50 %")
    #expect(work.x == shorter.x, "all begin at zero")
    // A pixel is left between parts.
    #expect(abs(work.width + 1 - 3 * (shorter.width + 1)) < 0.1)
    #expect(abs(late.x - (shorter.x + shorter.width + 1)) < 0.1)
    #expect(try bar("a, wait: 1.0 s, 25 %").x > work.x + work.width)
    // What takes no time has no bar.
    #expect(!svg.contains("a, late") && !svg.contains("<title>c, "))
    #expect(
      StackedBars(title: "", xLabel: "", yLabel: "", parts: [], bars: [], format: { "\($0)" }).element(
        width: 100
      ).hasSuffix("</svg>\n"))
  }

  @Test(arguments: [
    (0.5, "50 %"), (0.004, "0.4 %"), (0, "0 %"), (1, "100 %"), (Double.nan, "–"), (1e300, "1000000 %"),
  ])
  func shares(share: Double, text: String) { #expect(percent(share) == text) }
}
