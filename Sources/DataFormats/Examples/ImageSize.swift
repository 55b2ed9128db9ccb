// What images are resized to.

/// What images are resized to.
public struct ImageSize: Sendable, Equatable, CustomStringConvertible {
  /// Pixels.
  public let height: Int
  /// Pixels.
  public let width: Int

  /// The largest side.
  static let maximum = 16_384

  /// Both from 1 to 16384.
  public init?(height: Int, width: Int) {
    guard 1...Self.maximum ~= height, 1...Self.maximum ~= width else { return nil }
    self.height = height
    self.width = width
  }

  /// `HxW`, or one number for both.
  public init?(_ text: String) {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false)
    guard 1...2 ~= parts.count, parts.allSatisfy({ $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } }),
      let height = Int(parts[0]), let width = Int(parts.last!)
    else { return nil }
    self.init(height: height, width: width)
  }

  /// `HxW`.
  public var description: String { "\(height)x\(width)" }
}
