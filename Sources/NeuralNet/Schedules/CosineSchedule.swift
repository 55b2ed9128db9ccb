import RandomNumbers

/// From 1 down to `floor` along half a cosine over the whole run (Loshchilov & Hutter 2017, without restarts).
public struct CosineSchedule: Schedule, Equatable {
  public static let names = ["cosine"]
  public static let form = "cosine:floor=0"

  /// The factor at the end.
  public let floor: Double

  /// - Precondition: `floor` is from 0 to 1.
  public init(floor: Double = 0) {
    precondition(floor >= 0 && floor <= 1, "a cosine schedule's floor is from 0 to 1")
    self.floor = floor
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    floor = try reader.number("floor", .fraction) ?? 0
    try reader.end()
  }

  public var description: String { floor == 0 ? "cosine" : "cosine:floor=\(floor)" }
  public var dependsOnLength: Bool { true }

  public func factor(_ moment: ScheduleMoment) -> Double {
    let progress = min(1, Double(moment.step) / Double(max(1, moment.totalSteps)))
    return floor + (1 - floor) * (1 + cosine(turns: progress / 2)) / 2
  }
}
