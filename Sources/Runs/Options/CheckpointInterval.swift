// How often checkpoints are written: `--checkpoint-every`.
import Text

/// Every so many steps or epochs, or as much time.
public enum CheckpointInterval: Sendable, Equatable, CustomStringConvertible {
  /// After every so many updates.
  case steps(Int)
  /// At the end of every so many epochs.
  case epochs(Int)
  /// After so much time, at the next step that all ranks have come to.
  case seconds(Double)

  package static let forms = "steps such as 500, time such as 30s or 10m, or epochs such as 1epoch"

  /// `500`, `500steps`, `30s`, `10m`, `1epoch`; nil when `text` is none of them.
  public init?(_ text: String) {
    let number = text.prefix { $0.isNumber || $0 == "." }
    let unit = text.dropFirst(number.count)
    switch unit {
    case "", "step", "steps":
      guard let count = Int(number), count >= 1 else { return nil }
      self = .steps(count)
    case "epoch", "epochs":
      guard let count = Int(number), count >= 1 else { return nil }
      self = .epochs(count)
    case "s", "m":
      guard let count = decimalNumber(number) else { return nil }
      let seconds = unit == "m" ? 60 * count : count
      // Within these bounds a number is written without an exponent, as it is read.
      guard 0.001...1e9 ~= seconds else { return nil }
      self = .seconds(seconds)
    default: return nil
    }
  }

  /// Whether a checkpoint is due after a step, so far as counting tells: all ranks come to the same.
  /// - Parameters:
  ///   - step: updates made by then, and those of them in this epoch.
  ///   - epoch: epochs done before this one.
  @inline(__always)
  func isDue(step: Int, stepOfEpoch: Int, stepsPerEpoch: Int, epoch: Int) -> Bool {
    switch self {
    case .steps(let count): step % count == 0
    case .epochs(let count): stepOfEpoch == stepsPerEpoch && (epoch + 1) % count == 0
    case .seconds: false
    }
  }

  public var description: String {
    switch self {
    case .steps(let count): "\(count)"
    case .epochs(let count): "\(count)epoch\(count == 1 ? "" : "s")"
    case .seconds(let count): "\(count)s"
    }
  }
}
