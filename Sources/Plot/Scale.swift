// From values to places on an axis.
import Glibc

/// How an axis spaces its values.
package enum Scale: Sendable, Equatable {
  case linear
  case logarithmic

  /// Whether `value` has a place on such an axis. The outermost magnitudes are left out with the values that are
  /// not finite: their differences could overflow.
  package func shows(_ value: Double) -> Bool {
    guard value.isFinite else { return false }
    switch self {
    case .linear: return abs(value) <= 1e300
    case .logarithmic: return value >= 1e-300 && value <= 1e300
    }
  }
}

/// A range of values, and the fraction of the way through it at which a value stands.
package struct Axis: Sendable, Equatable {
  package let scale: Scale
  package let low: Double
  package let high: Double

  /// An axis that shows all `values`, with a little room at both ends; 0 … 1 or 1 … 10 if there are none.
  package init(_ scale: Scale, covering values: some Sequence<Double>) {
    self.scale = scale
    var least = Double.infinity
    var greatest = -Double.infinity
    for value in values where scale.shows(value) {
      least = min(least, value)
      greatest = max(greatest, value)
    }
    switch scale {
    case .linear:
      guard least <= greatest else {
        (low, high) = (0, 1)
        return
      }
      // A single value, or several that differ by rounding alone, get a range of their own magnitude.
      let size = max(abs(least), abs(greatest))
      let room = greatest - least > 1e-9 * size ? 0.04 * (greatest - least) : (size > 0 ? 0.1 * size : 0.5)
      // Quantities that cannot be negative do not get a negative axis.
      low = least >= 0 ? max(0, least - room) : least - room
      high = greatest <= 0 && least < 0 ? min(0, greatest + room) : greatest + room
    case .logarithmic:
      guard least <= greatest else {
        (low, high) = (1, 10)
        return
      }
      let decades = log10(greatest / least)
      let room = pow(10, decades > 1e-9 ? 0.04 * decades : 0.4)
      low = least / room
      high = greatest * room
    }
  }

  /// The axis of a range that the caller chose; nil if the scale cannot show it.
  package init?(_ scale: Scale, range: ClosedRange<Double>) {
    guard scale.shows(range.lowerBound), scale.shows(range.upperBound), range.lowerBound < range.upperBound
    else {
      return nil
    }
    self.scale = scale
    low = range.lowerBound
    high = range.upperBound
  }

  /// 0 at the axis' low end, 1 at its high end; nil for what the scale cannot show.
  package func fraction(_ value: Double) -> Double? {
    guard scale.shows(value) else { return nil }
    switch scale {
    case .linear: return (value - low) / (high - low)
    case .logarithmic: return log10(value / low) / log10(high / low)
    }
  }
}
