import Plot
import Testing

@Suite struct AxisTests {
  private func labels(_ scale: Scale, _ range: ClosedRange<Double>, atMost limit: Int) -> [String] {
    Axis(scale, range: range)!.ticks(atMost: limit).compactMap(\.label)
  }

  @Test func linearLabels() {
    #expect(labels(.linear, 0...1, atMost: 6) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(labels(.linear, 0...1, atMost: 5) == ["0.0", "0.5", "1.0"])
    #expect(labels(.linear, -3...7, atMost: 6) == ["−2", "0", "2", "4", "6"])
    #expect(labels(.linear, 0.24...0.31, atMost: 4) == ["0.24", "0.26", "0.28", "0.30"])
    #expect(labels(.linear, 0...1500, atMost: 4) == ["0", "500", "1000", "1500"])
    #expect(labels(.linear, 0...3e7, atMost: 4) == ["0", "1·10⁷", "2·10⁷", "3·10⁷"])
    #expect(
      labels(.linear, 0...2.5e-7, atMost: 6) == [
        "0", "0.5·10⁻⁷", "1.0·10⁻⁷", "1.5·10⁻⁷", "2.0·10⁻⁷", "2.5·10⁻⁷",
      ])
  }

  @Test func logarithmicLabels() {
    #expect(labels(.logarithmic, 1...10_000, atMost: 10) == ["1", "10", "100", "1000", "10000"])
    #expect(labels(.logarithmic, 0.001...1, atMost: 10) == ["0.001", "0.01", "0.1", "1"])
    #expect(labels(.logarithmic, 1e-6...1e-3, atMost: 10) == ["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³"])
    #expect(labels(.logarithmic, 1e0...1e12, atMost: 5) == ["10⁰", "10³", "10⁶", "10⁹", "10¹²"])
    #expect(labels(.logarithmic, 1...40, atMost: 10) == ["1", "2", "5", "10", "20"])
    // Less than a decade is read as a linear range.
    #expect(labels(.logarithmic, 0.24...0.31, atMost: 4) == ["0.24", "0.26", "0.28", "0.30"])
  }

  @Test func minorTicksStandBetweenDecades() {
    let ticks = Axis(.logarithmic, range: 1...1000)!.ticks(atMost: 8)
    let minor = ticks.filter { $0.label == nil }.map(\.value)
    let digits: [Double] = [2, 3, 4, 5, 6, 7, 8, 9]
    #expect(minor == digits + digits.map { $0 * 10 } + digits.map { $0 * 100 })
  }

  @Test func neverMoreThanAskedForAndAlwaysInside() {
    for scale in [Scale.linear, .logarithmic] {
      for low in [1e-12, 0.003, 0.7, 1, 99, 12_345, 1e15] {
        for factor in [1.0001, 1.1, 2, 9.99, 10, 1234, 1e9] {
          let axis = Axis(scale, range: low...low * factor)!
          for limit in 1...12 {
            let ticks = axis.ticks(atMost: limit)
            #expect(ticks.count { $0.label != nil } <= limit)
            for tick in ticks {
              #expect(axis.fraction(tick.value).map { $0 > -1e-6 && $0 < 1 + 1e-6 } == true)
            }
            #expect(ticks.map(\.value) == ticks.map(\.value).sorted())
            #expect(Set(ticks.compactMap(\.label)).count == ticks.count { $0.label != nil }, "no label twice")
          }
        }
      }
    }
  }

  @Test func axesCoverTheirValues() {
    let linear = Axis(.linear, covering: [3, 5, .nan, -.infinity])
    #expect(linear.low < 3 && linear.low > 2.8 && linear.high > 5)
    #expect(Axis(.linear, covering: [0, 5]).low == 0)
    let logarithmic = Axis(.logarithmic, covering: [0, -3, 10, 1000])
    #expect(logarithmic.low > 5 && logarithmic.low < 10 && logarithmic.high > 1000)
    #expect(logarithmic.fraction(0) == nil && logarithmic.fraction(-1) == nil)
    #expect(abs(Axis(.logarithmic, range: 1...100)!.fraction(10)! - 0.5) < 1e-12)
    #expect(Axis(.linear, covering: []) == Axis(.linear, range: 0...1))
    #expect(Axis(.logarithmic, range: 0...1) == nil)
  }

  @Test func wrapping() {
    #expect(wrapped("", width: 100, size: 12) == [])
    #expect(wrapped("a b c", width: 1000, size: 12) == ["a b c"])
    let lines = wrapped("one two three four " + String(repeating: "x", count: 60), width: 90, size: 12)
    #expect(lines.count > 3 && lines.allSatisfy { textWidth($0, size: 12) <= 90 })
  }
}
