// Curves and tables of bounded size, against the same sums made of everything.
import Report
import Testing

@Suite struct CurveTests {
  private func place(_ step: Int) -> Place {
    var place = Place()
    place.step = Double(step)
    place.examples = 128 * Double(step)
    return place
  }

  @Test func fewValuesStayAsTheyAre() {
    var curve = Curve()
    let values = (1...Curve.limit).map { 1 / Double($0) }
    for (step, value) in values.enumerated() { curve.add(value, at: place(step)) }
    #expect(curve.stride == 1 && curve.points.map(\.mean) == values)
    #expect(curve.points.map(\.place.step) == values.indices.map(Double.init))
    #expect(curve.points.allSatisfy { $0.low == $0.mean && $0.high == $0.mean })
  }

  /// However many values there are: never more points than the limit, every value in one of them, and the extremes of
  /// each point those of its values.
  @Test(arguments: [513, 1_000, 1_024, 1_025, 99_999]) func manyValuesKeepTheirMeansAndExtremes(count: Int) {
    var curve = Curve()
    // Far outliers at odd places, which a mean alone would lose.
    let values = (0..<count).map { step -> Double in
      if step % 997 == 7 { return 1e6 + Double(step) }
      if step % 991 == 5 { return -Double(step) }
      return Double(step % 17)
    }
    for (step, value) in values.enumerated() { curve.add(value, at: place(step)) }
    #expect(curve.points.count <= Curve.limit && curve.points.count >= Curve.limit / 2)
    #expect(curve.points.reduce(0) { $0 + $1.count } == count && curve.count == count)
    #expect(curve.last == values.last)
    var start = 0
    for point in curve.points {
      let own = values[start..<start + point.count]
      #expect(point.low == own.min() && point.high == own.max())
      #expect(abs(point.mean - own.reduce(0, +) / Double(own.count)) <= 1e-9 * max(1, abs(point.high)))
      #expect(abs(point.place.step - Double(2 * start + point.count - 1) / 2) < 1e-6)
      #expect(abs(point.place.examples - 128 * point.place.step) < 1e-3)
      start += point.count
    }
    #expect(curve.range?.low == values.min() && curve.range?.high == values.max())
  }

  @Test func whatIsNoNumberIsAGapAndSpoilsNoMean() {
    var curve = Curve()
    for step in 0..<4 * Curve.limit {
      curve.add(step % 4 == 0 || step > 3 * Curve.limit ? .nan : 2, at: place(step))
    }
    #expect(curve.points.contains { $0.finite == 0 && $0.mean.isNaN })
    #expect(curve.points.filter { $0.finite > 0 }.allSatisfy { $0.mean == 2 && $0.low == 2 && $0.high == 2 })
    #expect(Curve().range == nil)
  }

  @Test(arguments: [1, 8, 64, 65, 1000], [1, 64, 100, 12_345]) func lanesLoseNothing(rows: Int, columns: Int)
  {
    var lanes = Lanes(rows: 64, columns: 64)
    var all: [Double] = []
    for column in 0..<columns {
      for row in Swift.stride(from: 0, to: rows, by: 7) {
        let value = Double(row * 31 + column % 13)
        all.append(value)
        lanes.add(value, 1, count: 2, row: row, column: column)
      }
    }
    #expect(lanes.sums.count <= 64 && lanes.sums.allSatisfy { $0.count <= 64 })
    let sums = lanes.sums.joined()
    #expect(sums.reduce(0) { $0 + $1.first } == all.reduce(0, +))
    #expect(sums.reduce(0) { $0 + $1.second } == Double(all.count))
    #expect(sums.reduce(0) { $0 + $1.count } == 2 * Double(all.count))
    #expect(lanes.columnNumbers(lanes.columnCount - 1).upperBound == columns - 1)
    // A cell has what its numbers have.
    let (y, x) = (lanes.sums.count - 1, lanes.columnCount - 1)
    let expected = lanes.rowNumbers(y).filter { $0 % 7 == 0 }.reduce(0) { sum, row in
      lanes.columnNumbers(x).reduce(sum) { $0 + Double(row * 31 + $1 % 13) }
    }
    #expect(lanes[y, x].first == expected)
  }

  @Test func theLargestNumbersAreTaken() {
    var lanes = Lanes(rows: 4, columns: 4)
    lanes.add(1, row: 0, column: 0)
    lanes.add(2, row: 3, column: Lanes.numbers.upperBound)
    #expect(lanes[0, 0].first == 1 && lanes[3, lanes.columnCount - 1].first == 2)
  }

  @Test(arguments: [
    (0.7148175, "0.7148"), (2.1e-7, "2.1e-7"), (20_000, "20000"), (0.25, "0.25"), (123_456.7, "123457"),
    (-0.5, "-0.5"),
    (Double.nan, "–"), (1e300, "1e300"), (0, "0"),
  ]) func numbers(value: Double, text: String) { #expect(shortNumber(value) == text) }

  @Test(arguments: [
    (0.0, "0 s"), (3.4e-6, "3.4 µs"), (0.012, "12 ms"), (1.834, "1.83 s"), (125, "2 min 5 s"),
    (7_500, "2 h 5 min"),
    (5e-10, "0.5 ns"), (-1, "–"),
  ]) func times(seconds: Double, text: String) { #expect(duration(seconds) == text) }

  @Test func numbersInARowAreRanges() {
    #expect(ranges([0, 1, 2, 5, 7, 8]) == "0–2, 5, 7–8")
    #expect(ranges([]) == "")
  }
}
