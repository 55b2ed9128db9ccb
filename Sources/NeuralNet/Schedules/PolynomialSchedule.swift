import RandomNumbers

/// From 1 down to `floor` over the whole run as a power of what is left of it: floor + (1 − floor)·(1 − t/T)^power after t
/// of T updates; a straight line with the power 1. As `torch.optim.lr_scheduler.PolynomialLR` with the floor 0.
public struct PolynomialSchedule: Schedule, Equatable {
  public static let names = ["polynomial"]
  public static let form = "polynomial:power=1,floor=0"

  /// Above 0, and the factor at the end.
  public let power, floor: Double

  /// - Precondition: `power` is above 0 and at most 100, `floor` from 0 to 1.
  public init(power: Double = 1, floor: Double = 0) {
    precondition(power > 0 && power <= 100 && 0...1 ~= floor)
    self.power = power
    self.floor = floor
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    let power = try reader.number("power", .positive) ?? 1
    guard power <= 100 else { throw WordError(word.text, "power is \(power) and must be at most 100") }
    self.init(power: power, floor: try reader.number("floor", .fraction) ?? 0)
    try reader.end()
  }

  public var description: String { "polynomial:power=\(power),floor=\(floor)" }
  public var dependsOnLength: Bool { true }

  public func factor(_ moment: ScheduleMoment) -> Double {
    let left = 1 - moment.progress
    return floor + (1 - floor) * raised(left)
  }

  private func raised(_ left: Double) -> Double {
    if power == 1 || left == 0 { return left }
    return exponential(max(-700, power * logarithm(left)))
  }
}
