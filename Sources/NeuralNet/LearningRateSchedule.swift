// How the learning rate changes while a run goes on.

/// A factor on the learning rate, as a function of the step alone.
public enum LearningRateSchedule: Sendable, Equatable, CustomStringConvertible {
  case constant
  /// Times `factor` after every `every` steps or epochs.
  case step(every: Interval, factor: Double)

  /// A number of updates or of epochs.
  public enum Interval: Sendable, Equatable {
    case steps(Int)
    case epochs(Int)
  }

  /// What `init(_:)` takes.
  public static let forms = "constant, or step:every=1epoch,factor=0.1 (every=100 counts steps)"

  /// `constant`, or `step:every=1epoch,factor=0.1`; nil when `text` is neither.
  public init?(_ text: String) {
    if text == "constant" {
      self = .constant
      return
    }
    guard text.hasPrefix("step:") else { return nil }
    var every: Interval?
    var factor: Double?
    for setting in text.dropFirst("step:".count).split(separator: ",", omittingEmptySubsequences: false) {
      let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
      switch (parts.first, parts.count) {
      case ("every", 2) where every == nil: every = Interval(parts[1])
      case ("factor", 2) where factor == nil: factor = decimalNumber(parts[1])
      default: return nil
      }
    }
    guard let every, let factor, factor.isFinite, factor > 0 else { return nil }
    self = .step(every: every, factor: factor)
  }

  /// The factor for the update after `step` others.
  public func factor(step: Int, stepsPerEpoch: Int) -> Double {
    guard case .step(let every, let factor) = self else { return 1 }
    let interval =
      switch every {
      case .steps(let count): count
      // A product that does not fit is further away than any step.
      case .epochs(let count):
        count.multipliedReportingOverflow(by: stepsPerEpoch).overflow ? Int.max : count * stepsPerEpoch
      }
    var result = 1.0
    for _ in 0..<step / interval { result *= factor }
    return result
  }

  public var description: String {
    switch self {
    case .constant: "constant"
    case .step(.steps(let count), let factor): "step:every=\(count),factor=\(factor)"
    case .step(.epochs(let count), let factor): "step:every=\(count)epoch,factor=\(factor)"
    }
  }
}

extension LearningRateSchedule.Interval {
  /// `100`, `100steps`, `1epoch` or `2epochs`.
  fileprivate init?(_ text: String) {
    let digits = text.prefix { $0.isNumber }
    guard let count = Int(digits), count >= 1 else { return nil }
    switch text.dropFirst(digits.count) {
    case "", "step", "steps": self = .steps(count)
    case "epoch", "epochs": self = .epochs(count)
    default: return nil
    }
  }
}
