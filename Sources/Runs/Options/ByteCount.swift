// Sizes as a user writes them: `--bucket-size`.

/// Bytes.
public struct ByteCount: Sendable, Equatable, CustomStringConvertible {
  /// At least 4.
  public let bytes: Int

  package static let forms = "a size such as 65536, 256k, 4m or 1g"

  /// `65536`, `256k`, `4m`, `1g` (powers of 1024); nil when `text` is none of them, or less than a float.
  public init?(_ text: String) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int(digits), digits.count < 16,
      let unit = Self.units[String(text.dropFirst(digits.count)).lowercased()],
      case let (bytes, overflow) = count.multipliedReportingOverflow(by: unit), !overflow, bytes >= 4
    else { return nil }
    self.bytes = bytes
  }

  private static let units = ["": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30]

  /// `256k`
  public var description: String {
    for (unit, size) in [("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)] where bytes % size == 0 {
      return "\(bytes / size)\(unit)"
    }
    return "\(bytes)"
  }
}
