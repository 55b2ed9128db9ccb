// How a gradient changes the parameters.
import CKernels

/// An update rule that treats every parameter alone, so that any part of the arena can be updated by
/// whoever holds its gradient.
public protocol Optimizer: AnyObject {
  /// Updates `count` parameters, the first of which stands at `offset` in the arena.
  func update(
    _ parameters: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, offset: Int, count: Int,
    learningRate: Float)
}

/// Stochastic gradient descent: w ← w − η·g.
public final class SGD: Optimizer {
  public init() {}

  public func update(
    _ parameters: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, offset: Int, count: Int,
    learningRate: Float
  ) {
    ckernels_descend(parameters, gradient, learningRate, count)
  }
}
