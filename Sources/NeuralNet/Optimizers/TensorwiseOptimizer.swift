// Update rules that look at whole tensors: a rate for each of them, from two norms.

/// An update rule in which each tensor has a factor of its own on the learning rate (its *trust ratio*), a function of
/// the norms of its parameters and of their direction. A step calls `direct` for all parts, then `factor` for every
/// tensor, then `update` for all parts. Tensors without weight decay (`--no-decay-for`) have a factor of 1.
public protocol TensorwiseOptimizer: Optimizer {
  /// Turns a part's gradient into the direction whose norm `factor` takes, element by element.
  /// - Parameter direction: the gradient, shape (part.count); overwritten.
  func direct(
    _ part: borrowing ArenaPart, _ direction: UnsafeMutableBufferPointer<Float>, step: Int)
  /// Of one tensor, from the norms of its parameters before the update and of its direction.
  func factor(parameterNorm: Double, directionNorm: Double) -> Double
  /// Updates a part whose `gradient` is its direction.
  func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float, factor: Float)
}

extension TensorwiseOptimizer {
  /// Without norms: a factor of 1.
  public func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float) {
    update(part, step: step, learningRate: learningRate, factor: 1)
  }
}
