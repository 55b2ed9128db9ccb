import RandomNumbers

/// Falls smoothly: times `factor` in every so many steps or epochs, factor^(t/every) after t updates.
public struct ExponentialSchedule: Schedule, Equatable {
  public static let names = ["exponential"]
  public static let form = "exponential:every=1epoch,factor=0.95"

  /// In which η becomes `factor` times what it was.
  public let every: StepSchedule.Interval
  /// Above 0.
  public let factor: Double

  /// - Precondition: `factor` is from 1e-30 to 1e30.
  public init(every: StepSchedule.Interval, factor: Double) {
    precondition(1e-30...1e30 ~= factor)
    self.every = every
    self.factor = factor
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    let interval = reader.text("every") ?? "1epoch"
    guard let every = StepSchedule.Interval(interval) else {
      throw WordError(word.text, "every is '\(interval)' and should be like 100 or 1epoch")
    }
    guard let factor = try reader.number("factor", .positive), 1e-30...1e30 ~= factor else {
      throw WordError(word.text, "it needs a factor from 1e-30 to 1e30, as in \(Self.form)")
    }
    self.init(every: every, factor: factor)
    try reader.end()
  }

  public var description: String { "exponential:every=\(every),factor=\(factor)" }

  public func factor(_ moment: ScheduleMoment) -> Double {
    let intervals = Double(moment.step) / Double(every.steps(perEpoch: moment.stepsPerEpoch))
    return exponential(min(700, max(-700, intervals * logarithm(factor))))
  }
}
