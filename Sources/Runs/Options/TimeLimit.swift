// How long a job may take: `--time-limit`.
import Text

/// Seconds.
public struct TimeLimit: Sendable, Equatable, CustomStringConvertible {
  /// From the start of the program.
  public let seconds: Double

  package static let forms = "a time such as 90s, 55m, 3.5h or 2d"

  /// `90s`, `55m`, `3.5h`, `2d`, `90` or `1h30m`; nil when `text` is none of them, or less than a second.
  public init?(_ text: String) {
    var sum = 0.0
    var rest = Substring(text)
    while !rest.isEmpty {
      let number = rest.prefix { $0.isNumber || $0 == "." }
      rest = rest.dropFirst(number.count)
      let unit = rest.popFirst() ?? "s"
      guard let count = decimalNumber(number), let length = Self.units[unit] else { return nil }
      sum += count * length
    }
    guard 1...1e9 ~= sum else { return nil }
    seconds = sum
  }

  private static let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]

  /// `3300s`
  public var description: String {
    seconds == seconds.rounded() ? "\(Int(seconds))s" : "\(seconds)s"
  }
}
