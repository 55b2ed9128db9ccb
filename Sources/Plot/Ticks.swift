// The values that an axis marks: 1-2-5 steps on a linear axis, decades on a logarithmic one.
import Glibc

/// A mark on an axis.
package struct Tick: Sendable, Equatable {
  package let value: Double
  /// nil for a minor tick.
  package let label: String?
}

extension Axis {
  /// The axis' ticks from low to high, at most `limit` of them with labels (but at least one is tried).
  package func ticks(atMost limit: Int) -> [Tick] {
    let limit = max(limit, 1)
    switch scale {
    case .linear: return linearTicks(atMost: limit)
    case .logarithmic: return logarithmicTicks(atMost: limit)
    }
  }

  /// Multiples of 1, 2 or 5 times a power of ten.
  private func linearTicks(atMost limit: Int) -> [Tick] {
    var (digit, exponent) = Self.niceStep(atLeast: (high - low) / Double(limit))
    while true {
      let step = Double(digit) * pow(10, Double(exponent))
      let first = (low / step - 1e-9).rounded(.up)
      let last = (high / step + 1e-9).rounded(.down)
      // Where doubles do not resolve the steps there is nothing to mark.
      guard abs(first) < 1e15, abs(last) < 1e15 else { return [] }
      if Int(last) - Int(first) + 1 > limit {
        (digit, exponent) = digit == 1 ? (2, exponent) : digit == 2 ? (5, exponent) : (1, exponent + 1)
        continue
      }
      guard first <= last else { return [] }
      let numbers = (Int(first)...Int(last)).map { Decimal(digits: $0 * digit, exponent: exponent) }
      let labels = Decimal.labels(numbers)
      return zip(numbers, labels).map { Tick(value: $0.value, label: $1) }
    }
  }

  /// The least 1, 2 or 5 times a power of ten that is not below `value`.
  private static func niceStep(atLeast value: Double) -> (digit: Int, exponent: Int) {
    let exponent = Int(log10(value).rounded(.down))
    let fraction = value / pow(10, Double(exponent))
    if fraction <= 1 + 1e-9 { return (1, exponent) }
    if fraction <= 2 + 1e-9 { return (2, exponent) }
    if fraction <= 5 + 1e-9 { return (5, exponent) }
    return (1, exponent + 1)
  }

  /// Decades, with 2 and 5 between them where decades are few, or every second, third … where they are many.
  private func logarithmicTicks(atMost limit: Int) -> [Tick] {
    let exponents = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
    let decades = exponents.map { Decimal(digits: 1, exponent: $0) }.filter(contains)
    if decades.count < 3 {
      let numbers = exponents.flatMap { exponent in
        [1, 2, 5].map { Decimal(digits: $0, exponent: exponent) }
      }.filter(contains)
      if (3...max(limit, 3)).contains(numbers.count), numbers.count <= limit {
        return labelled(numbers, minor: minorTicks(exponents))
      }
      // Less than a decade: what is read off is a linear range.
      if decades.count < 2 { return linearTicks(atMost: limit) }
    }
    var stride = 1
    var numbers = decades
    while numbers.count > limit {
      stride += 1
      numbers = decades.filter { $0.exponent % stride == 0 }
    }
    return labelled(numbers, minor: stride == 1 ? minorTicks(exponents) : decades)
  }

  private func contains(_ number: Decimal) -> Bool {
    number.value >= low * (1 - 1e-12) && number.value <= high * (1 + 1e-12)
  }

  private func minorTicks(_ exponents: ClosedRange<Int>) -> [Decimal] {
    exponents.flatMap { exponent in (1...9).map { Decimal(digits: $0, exponent: exponent) } }.filter(contains)
  }

  private func labelled(_ numbers: [Decimal], minor: [Decimal]) -> [Tick] {
    let labels = Decimal.powerLabels(numbers)
    let major = zip(numbers, labels).map { Tick(value: $0.value, label: $1) }
    let others = minor.filter { !numbers.contains($0) }.map { Tick(value: $0.value, label: nil) }
    return (major + others).sorted { $0.value < $1.value }
  }
}
