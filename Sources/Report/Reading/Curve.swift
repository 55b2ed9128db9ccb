// A quantity over a run, in as many points as a figure can show, however many the file has.

/// Where in a run something was measured; what is not known is not a number.
package struct Place: Sendable {
  package var step = Double.nan
  package var examples = Double.nan
  package var seconds = Double.nan
  package var epoch = Double.nan

  package init() {}

  fileprivate static func mean(_ a: Place, _ m: Double, _ b: Place, _ n: Double) -> Place {
    func mean(_ x: Double, _ y: Double) -> Double {
      x.isNaN ? y : y.isNaN ? x : (x * m + y * n) / (m + n)
    }
    var place = Place()
    place.step = mean(a.step, b.step)
    place.examples = mean(a.examples, b.examples)
    place.seconds = mean(a.seconds, b.seconds)
    place.epoch = mean(a.epoch, b.epoch)
    return place
  }
}

/// Values in the order of the run. Where there are more than `limit`, neighbours become one point, which knows their mean
/// and their extremes: at first two of them, then four, … .
package struct Curve: Sendable {
  package struct Point: Sendable {
    package var place: Place
    /// How many values it stands for, and how many of them are numbers.
    package var count: Int
    package var finite: Int
    /// Of those that are numbers; not a number where none is.
    package var mean: Double
    package var low: Double
    package var high: Double

    fileprivate mutating func add(_ other: Point) {
      place = Place.mean(place, Double(count), other.place, Double(other.count))
      count += other.count
      if other.finite > 0 {
        let share = Double(other.finite) / Double(finite + other.finite)
        mean = finite == 0 ? other.mean : mean + (other.mean - mean) * share
        low = finite == 0 ? other.low : min(low, other.low)
        high = finite == 0 ? other.high : max(high, other.high)
        finite += other.finite
      }
    }
  }

  package static let limit = 512

  package private(set) var points: [Point] = []
  /// Values in a point; in the last, maybe fewer.
  package private(set) var stride = 1
  package private(set) var count = 0
  /// The last value.
  package private(set) var last = Double.nan

  package init() {}

  /// - Parameter value: not a number where the file has none, such as of a loss that has grown beyond all numbers.
  package mutating func add(_ value: Double, at place: Place) {
    count += 1
    last = value
    let point = Point(
      place: place, count: 1, finite: value.isFinite ? 1 : 0, mean: value.isFinite ? value : .nan, low: value,
      high: value)
    if let partial = points.last, partial.count < stride {
      points[points.count - 1].add(point)
      return
    }
    if points.count == Self.limit {
      for pair in 0..<Self.limit / 2 {
        var point = points[2 * pair]
        point.add(points[2 * pair + 1])
        points[pair] = point
      }
      points.removeLast(Self.limit / 2)
      stride *= 2
    }
    points.append(point)
  }

  /// The extremes of all values that are numbers.
  package var range: (low: Double, high: Double)? {
    let finite = points.filter { $0.finite > 0 }
    guard let low = finite.map(\.low).min(), let high = finite.map(\.high).max() else { return nil }
    return (low, high)
  }
}
