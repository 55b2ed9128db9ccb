// A small learning rate at the beginning of a run.

/// In the first W updates the factor grows along a straight line to what the schedule has at W (Goyal et al. 2017): from 0,
/// or from a part of that. `5epochs`, `500`, `5epochs,from=0.1`.
public struct WarmUp: Sendable, Equatable, CustomStringConvertible {
  /// W.
  public let length: StepSchedule.Interval
  /// The part of the schedule's factor at W with which it begins.
  public let from: Double

  /// - Precondition: `from` is from 0 to 1.
  public init(_ length: StepSchedule.Interval, from: Double = 0) {
    precondition(0...1 ~= from)
    self.length = length
    self.from = from
  }

  /// - Throws: `WordError` for what is not like `5epochs`, `500` or `5epochs,from=0.1`.
  public init(_ text: String) throws(WordError) {
    let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
    guard let length = StepSchedule.Interval(String(parts.first ?? "")) else {
      throw WordError(text, "it should be like 5epochs, 500 or 5epochs,from=0.1")
    }
    guard parts.count == 2 else {
      self.init(length)
      return
    }
    var reader = try WordReader(Word(parsing: "warmup:\(parts[1])"))
    let from = try reader.number("from", .fraction) ?? 0
    try reader.end()
    self.init(length, from: from)
  }

  public var description: String { from == 0 ? "\(length)" : "\(length),from=\(from)" }

  /// The factor of `schedule` behind this.
  public func factor(_ schedule: any Schedule, _ moment: ScheduleMoment) -> Double {
    let steps = length.steps(perEpoch: moment.stepsPerEpoch)
    let moment = ScheduleMoment(
      step: moment.step, stepsPerEpoch: moment.stepsPerEpoch, totalSteps: moment.totalSteps,
      warmUpSteps: steps)
    guard moment.step < steps else { return schedule.factor(moment) }
    return (from + (1 - from) * Double(moment.step) / Double(steps)) * schedule.factor(moment.at(steps))
  }
}
