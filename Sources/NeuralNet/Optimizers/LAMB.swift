import CKernels

/// Layer-wise Adam for large batches (You et al. 2020, algorithm 2, φ the identity); t is the number of the step, from 1:
///
///     m ← β₁·m + (1 − β₁)·g          v ← β₂·v + (1 − β₂)·g²
///     u = m/(1 − β₁ᵗ) / (√v / √(1 − β₂ᵗ) + ε) + weightDecay·w
///     w ← w − η · ‖w‖/‖u‖ · u          1 for the ratio where a norm is 0
///
/// with the norms of each tensor. Those that `--no-decay-for` names have a ratio of 1 and no decay.
public struct LAMB: TensorwiseOptimizer, Equatable {
  public static let names = ["lamb"]
  public static let form = "lamb:beta1=0.9,beta2=0.999,epsilon=1e-6,weight-decay=0.01"

  /// β₁, β₂, ε and the weight decay.
  public let beta1, beta2, epsilon, weightDecay: Double

  /// - Precondition: β₁ and β₂ are from 0 to below 1, ε above 0, the decay not negative.
  public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-6, weightDecay: Double = 0.01)
  {
    precondition(0..<1 ~= beta1 && 0..<1 ~= beta2 && epsilon > 0 && weightDecay >= 0)
    (self.beta1, self.beta2, self.epsilon, self.weightDecay) = (beta1, beta2, epsilon, weightDecay)
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    beta1 = try reader.number("beta1", .fraction) ?? 0.9
    beta2 = try reader.number("beta2", .fraction) ?? 0.999
    epsilon = try reader.number("epsilon", .positive) ?? 1e-6
    weightDecay = try reader.number("weight-decay", .notNegative) ?? 0.01
    try reader.end()
  }

  public var description: String {
    "lamb:beta1=\(beta1),beta2=\(beta2),epsilon=\(epsilon),weight-decay=\(weightDecay)"
  }

  public var states: [String] { ["mean", "square"] }
  public var defaultLearningRate: Double? { 0.001 }

  public func direct(
    _ part: borrowing ArenaPart, _ direction: UnsafeMutableBufferPointer<Float>, step: Int
  ) {
    guard let w = part.parameters.baseAddress, let u = direction.baseAddress else { return }
    let coefficients = ckernels_adam_coefficients(
      mean_rate: Float(1 - beta1), square_keep: Float(beta2), square_rate: Float(1 - beta2),
      step_size: Float(1 / (1 - power(beta1, step))),
      square_scale: Float(1 / (1 - power(beta2, step)).squareRoot()), epsilon: Float(epsilon),
      decay: part.decays ? Float(weightDecay) : 0, shrink: 1)
    ckernels_lamb_direction(
      u, w, part.state(0).baseAddress, part.state(1).baseAddress, coefficients, part.count)
  }

  public func factor(parameterNorm: Double, directionNorm: Double) -> Double {
    parameterNorm != 0 && directionNorm != 0 ? parameterNorm / directionNorm : 1
  }

  public func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float, factor: Float) {
    guard let w = part.parameters.baseAddress, let u = part.gradient.baseAddress else { return }
    ckernels_descend(w, u, learningRate * factor, part.count)
  }
}
