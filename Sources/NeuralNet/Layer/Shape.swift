// The sizes of one example's values at some place of a model.

/// `[5]`, or `[channels, height, width]`; row-major in memory.
public struct Shape: Sendable, Hashable, CustomStringConvertible {
  /// The last one runs fastest.
  public let sizes: [Int]
  /// Numbers of one example.
  public let count: Int

  /// A shape of these sizes.
  /// - Precondition: all are at least 1.
  public init(_ sizes: [Int]) {
    precondition(sizes.allSatisfy { $0 >= 1 }, "a shape has sizes from 1 up")
    self.sizes = sizes
    count = sizes.reduce(1, *)
  }

  /// The same, written `Shape(3, 32, 32)`.
  public init(_ sizes: Int...) { self.init(sizes) }

  public var description: String { sizes.map(String.init).joined(separator: " × ") }
}

/// A layer that cannot be where it stands, or a model that does not fit its data.
public struct ShapeError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String

  /// - Parameter description: what does not fit, and what would.
  public init(_ description: String) { self.description = description }
}
