// How the learning rate changes while a run goes on.

/// A factor on the learning rate, as a function of the step alone.
public protocol Schedule: Named {
  /// The factor for the update after `moment.step` others.
  func factor(_ moment: ScheduleMoment) -> Double
  /// Whether the factor depends on how long the run is: such a run cannot be made longer when it is resumed.
  var dependsOnLength: Bool { get }
}

extension Schedule {
  public var dependsOnLength: Bool { false }
}

/// Where in a run a step is.
public struct ScheduleMoment: Sendable {
  /// Updates made before.
  public let step: Int
  /// Updates of an epoch.
  public let stepsPerEpoch: Int
  /// Of the whole run.
  public let totalSteps: Int
  /// Of the warm-up; 0 without one.
  public let warmUpSteps: Int

  /// For who tests a schedule; a run makes its own.
  public init(step: Int, stepsPerEpoch: Int, totalSteps: Int, warmUpSteps: Int = 0) {
    self.step = step
    self.stepsPerEpoch = stepsPerEpoch
    self.totalSteps = totalSteps
    self.warmUpSteps = warmUpSteps
  }

  /// How much of the run is done, 1 at its end.
  public var progress: Double { min(1, Double(step) / Double(max(1, totalSteps))) }

  /// The same run at another step.
  func at(_ step: Int) -> ScheduleMoment {
    ScheduleMoment(step: step, stepsPerEpoch: stepsPerEpoch, totalSteps: totalSteps, warmUpSteps: warmUpSteps)
  }
}

/// η stays as it is.
public struct ConstantSchedule: Schedule, PlainlyNamed, Equatable {
  public static let names = ["constant"]

  public init() {}
  public func factor(_ moment: ScheduleMoment) -> Double { 1 }
}
