/// Times `factor` after every so many steps or epochs.
public struct StepSchedule: Schedule, Equatable {
  public static let names = ["step"]
  public static let form = "step:every=1epoch,factor=0.1 (every=100 counts steps)"

  /// A number of updates or of epochs.
  public enum Interval: Sendable, Equatable, CustomStringConvertible {
    /// `every=100`
    case steps(Int)
    /// `every=1epoch`
    case epochs(Int)

    /// `100`, `100steps`, `1epoch` or `2epochs`.
    init?(_ text: String) {
      let digits = text.prefix { $0.isNumber }
      guard let count = Int(digits), count >= 1 else { return nil }
      switch text.dropFirst(digits.count) {
      case "", "step", "steps": self = .steps(count)
      case "epoch", "epochs": self = .epochs(count)
      default: return nil
      }
    }

    /// In updates. What does not fit is further away than any step.
    package func steps(perEpoch: Int) -> Int {
      switch self {
      case .steps(let count): return count
      case .epochs(let count):
        let (steps, overflow) = count.multipliedReportingOverflow(by: perEpoch)
        return overflow ? Int.max : steps
      }
    }

    public var description: String {
      switch self {
      case .steps(let count): "\(count)"
      case .epochs(let count): "\(count)epoch"
      }
    }
  }

  /// How long the factor stays.
  public let every: Interval
  /// What η is multiplied by each time.
  public let factor: Double

  /// - Precondition: `every` and `factor` are above 0.
  public init(every: Interval, factor: Double) {
    self.every = every
    self.factor = factor
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    guard let interval = reader.text("every"), let factor = try reader.number("factor", .positive) else {
      throw WordError(word.text, "it should be like \(Self.form)")
    }
    guard let every = Interval(interval) else {
      throw WordError(word.text, "every is '\(interval)' and should be like 100 or 1epoch")
    }
    self.init(every: every, factor: factor)
    try reader.end()
  }

  public var description: String { "step:every=\(every),factor=\(factor)" }

  public func factor(_ moment: ScheduleMoment) -> Double {
    let interval = every.steps(perEpoch: moment.stepsPerEpoch)
    var result = 1.0
    for _ in 0..<moment.step / interval { result *= factor }
    return result
  }
}
