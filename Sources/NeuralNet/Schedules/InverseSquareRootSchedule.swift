/// 1 up to a step W, then √(W/t) after t updates (Vaswani et al. 2017, with a warm-up of W steps).
public struct InverseSquareRootSchedule: Schedule, Equatable {
  public static let names = ["inverse-sqrt"]
  public static let form = "inverse-sqrt:after=4000 (or 1epoch; the warm-up's length if it is not said)"

  /// W; nil: the length of the warm-up, 1 at least.
  public let after: StepSchedule.Interval?

  /// - Parameter after: W; nil: the length of the warm-up.
  public init(after: StepSchedule.Interval? = nil) { self.after = after }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    guard let text = reader.text("after") else {
      self.init()
      try reader.end()
      return
    }
    guard let after = StepSchedule.Interval(text) else {
      throw WordError(word.text, "after is '\(text)' and should be like 4000 or 1epoch")
    }
    self.init(after: after)
    try reader.end()
  }

  public var description: String { after.map { "inverse-sqrt:after=\($0)" } ?? "inverse-sqrt" }

  public func factor(_ moment: ScheduleMoment) -> Double {
    let start = max(1, after?.steps(perEpoch: moment.stepsPerEpoch) ?? moment.warmUpSteps)
    return moment.step <= start ? 1 : (Double(start) / Double(moment.step)).squareRoot()
  }
}
