import RandomNumbers

/// Up to 1 and down again, each along half a cosine (Smith & Topin 2018), as `torch.optim.lr_scheduler.OneCycleLR` has the
/// learning rate: from 1/divisor to 1 in the first part of the run, then down to 1/(divisor·finalDivisor) at its last
/// update. The momentum stays as it is.
public struct OneCycleSchedule: Schedule, Equatable {
  public static let names = ["one-cycle"]
  public static let form = "one-cycle:rise=0.3,divisor=25,final-divisor=10000"

  /// The part of the run in which η rises.
  public let rise: Double
  /// Of η at the beginning, and of that at the end.
  public let divisor, finalDivisor: Double

  private static let divisors = 1e-6...1e12

  /// - Precondition: `rise` is from 0 to below 1, the divisors from 1e-6 to 1e12.
  public init(rise: Double = 0.3, divisor: Double = 25, finalDivisor: Double = 10_000) {
    precondition(0..<1 ~= rise && Self.divisors ~= divisor && Self.divisors ~= finalDivisor)
    (self.rise, self.divisor, self.finalDivisor) = (rise, divisor, finalDivisor)
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    rise = try reader.number("rise", .fraction) ?? 0.3
    divisor = try reader.number("divisor", .positive) ?? 25
    finalDivisor = try reader.number("final-divisor", .positive) ?? 10_000
    guard Self.divisors ~= divisor && Self.divisors ~= finalDivisor else {
      throw WordError(word.text, "its divisors must be from 1e-6 to 1e12")
    }
    try reader.end()
  }

  public var description: String { "one-cycle:rise=\(rise),divisor=\(divisor),final-divisor=\(finalDivisor)" }
  public var dependsOnLength: Bool { true }

  public func factor(_ moment: ScheduleMoment) -> Double {
    let first = 1 / divisor
    let peak = rise * Double(moment.totalSteps) - 1
    let end = Double(moment.totalSteps - 1)
    let step = min(Double(moment.step), max(0, end))
    if step <= peak { return peak > 0 ? halfCosine(from: first, to: 1, step / peak) : 1 }
    let start = max(0, peak)
    return end > start ? halfCosine(from: 1, to: first / finalDivisor, (step - start) / (end - start)) : 1
  }

  private func halfCosine(from start: Double, to end: Double, _ progress: Double) -> Double {
    end + (start - end) / 2 * (1 + cosine(turns: min(1, progress) / 2))
  }
}
