// What a sweep tries: every combination of the settings that it was given, or some that are drawn.
import Glibc
import RandomNumbers
import System
import Text

/// A setting of `train` that a sweep varies.
package struct SweepAxis: Sendable, Equatable {
  package enum Values: Sendable, Equatable {
    case list([String])
    /// To draw from: evenly on a logarithmic axis, or on a linear one where it begins at 0 or below.
    case range(ClosedRange<Double>)
  }

  /// Of the option, without dashes.
  package let name: String
  package let values: Values

  package init(_ name: String, _ values: Values) {
    self.name = name
    self.values = values
  }

  var column: String { name.replacing("-", with: "_") }

  /// What stands for an option that is not given.
  package static let none = "none"

  private static let wholeNumbers: Set = [
    "global-batch", "micro-batch", "base-batch", "epochs", "steps", "early-stopping", "swa-from", "duplicate",
  ]

  /// - Parameter uniform: from 0 up to below 1.
  func value(at uniform: Double) -> String {
    switch values {
    case .list(let words): return words[min(Int(uniform * Double(words.count)), words.count - 1)]
    case .range(let range):
      if Self.wholeNumbers.contains(name) {
        let (low, high) = (range.lowerBound.rounded(.up), range.upperBound.rounded(.down))
        let drawn =
          low > 0
          ? exp(log(low) + uniform * (log(high + 1) - log(low))) : low * (1 - uniform) + (high + 1) * uniform
        return "\(Int(min(max(drawn.rounded(.down), low), high, 0x1p53)))"
      }
      let (low, high) = (range.lowerBound, range.upperBound)
      let drawn =
        low > 0
        ? exp(log(low) + uniform * (log(high) - log(low))) : low * (1 - uniform) + high * uniform
      return "\(rounded(drawn))"
    }
  }
}

/// With four digits: what is drawn can be read and typed, and last bits of a library's functions do not show.
private func rounded(_ value: Double) -> Double {
  guard value != 0, value.isFinite else { return value }
  let digits = 3 - Int(log10(abs(value)).rounded(.down))
  // There are no such powers of ten.
  guard abs(digits) < 300 else { return value }
  return digits >= 0
    ? (value * pow(10, Double(digits))).rounded() / pow(10, Double(digits))
    : (value / pow(10, Double(-digits))).rounded() * pow(10, Double(-digits))
}

/// Axes, and how they are combined.
package struct SweepPlan: Sendable {
  /// In the order in which they vary, the last one fastest.
  package var axes: [SweepAxis]
  /// How many combinations are drawn; nil: all are tried.
  package var draws: Int?
  /// Of the draws.
  package var seed: UInt64

  package init(axes: [SweepAxis], draws: Int?, seed: UInt64) {
    self.axes = axes
    self.draws = draws
    self.seed = seed
  }

  /// Words by the names of their settings.
  package typealias Combination = [(name: String, word: String)]

  /// With batch sizes and learning rates where nothing else varies.
  func completed(exampleCount: Int) -> SweepPlan {
    // Nobody draws from seeds.
    let others = axes.filter {
      !["global-batch", "learning-rate"].contains($0.name) && !(draws != nil && $0.name == "seed")
    }
    guard others.isEmpty else { return self }
    var plan = self
    if !axes.contains(where: { $0.name == "global-batch" }) {
      let usual = [10, 100, 1000].filter { $0 <= exampleCount }
      let batches = usual.isEmpty ? [exampleCount] : usual
      plan.axes.insert(SweepAxis("global-batch", .list(batches.map(String.init))), at: 0)
    }
    if !axes.contains(where: { $0.name == "learning-rate" }) {
      plan.axes.insert(
        SweepAxis("learning-rate", draws == nil ? .list(["0.01", "0.1", "1"]) : .range(0.001...1)),
        at: 1)
    }
    return plan
  }

  package func combinations() -> [Combination] {
    guard let draws else {
      return axes.reduce([[]]) { combinations, axis in
        guard case .list(let words) = axis.values else { return [] }
        return combinations.flatMap { combination in words.map { combination + [(axis.name, $0)] } }
      }
    }
    // What was drawn is tried with every seed; the same draw comes once.
    let seeds = axes.filter { $0.name == "seed" }
    let drawn = axes.filter { $0.name != "seed" }
    var found: [Combination] = []
    var known: Set<String> = []
    var index = 0
    while found.count < min(draws, variety(drawn)), index < 100 * draws {
      let combination = drawn.enumerated().map { stream, axis in
        let random = Philox(seed: seed, purpose: .search, stream: stream)
        return (name: axis.name, word: axis.value(at: random.uniform(UInt64(index))))
      }
      if known.insert(combination.map(\.word).joined(separator: "\0")).inserted { found.append(combination) }
      index += 1
    }
    let repetitions = SweepPlan(axes: seeds, draws: nil, seed: seed).combinations()
    return found.flatMap { combination in repetitions.map { combination + $0 } }
  }

  /// How many combinations there are of lists; of ranges, as many as anybody may ask for.
  private func variety(_ axes: [SweepAxis]) -> Int {
    axes.reduce(1) { product, axis in
      guard case .list(let words) = axis.values else { return Int.max }
      let (next, overflow) = product.multipliedReportingOverflow(by: words.count)
      return overflow ? Int.max : next
    }
  }

  /// `batch 100, η 0.1, adam`
  static func name(_ combination: Combination) -> String {
    let words = combination.map { name, word in
      switch name {
      case _ where word == SweepAxis.none: "no \(name)"
      case "global-batch": "batch \(visible(word))"
      case "learning-rate": "η \(Double(word).map { "\($0)" } ?? visible(word))"
      case "model", "optimizer", "schedule", "loss": visible(word)
      default: "\(name) \(visible(word))"
      }
    }
    return words.isEmpty ? "all" : words.joined(separator: ", ")
  }
}
