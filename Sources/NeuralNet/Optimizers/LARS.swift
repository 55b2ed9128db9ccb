import CKernels

/// Layer-wise adaptive rate scaling (You, Gitman & Ginsburg 2017, algorithm 1): momentum with a rate of its own for every
/// tensor. λ is computed for a tensor's w and g as they are before the update:
///
///     λ = trust · ‖w‖ / (‖g‖ + weightDecay·‖w‖)          1 where a norm is 0
///     m ← μ·m + η·λ·(g + weightDecay·w)
///     w ← w − m
///
/// Tensors that `--no-decay-for` names have λ = 1 and no decay.
public struct LARS: TensorwiseOptimizer, Equatable {
  public static let names = ["lars"]
  public static let form = "lars:momentum=0.9,trust=0.001,weight-decay=0"

  /// μ, the trust coefficient, and what of w is added to g.
  public let momentum, trust, weightDecay: Double

  /// - Precondition: μ is from 0 to below 1, the trust above 0, the decay not negative.
  public init(momentum: Double = 0.9, trust: Double = 0.001, weightDecay: Double = 0) {
    precondition(0..<1 ~= momentum && trust > 0 && weightDecay >= 0)
    (self.momentum, self.trust, self.weightDecay) = (momentum, trust, weightDecay)
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    momentum = try reader.number("momentum", .fraction) ?? 0.9
    trust = try reader.number("trust", .positive) ?? 0.001
    weightDecay = try reader.number("weight-decay", .notNegative) ?? 0
    try reader.end()
  }

  public var description: String { "lars:momentum=\(momentum),trust=\(trust),weight-decay=\(weightDecay)" }

  public var states: [String] { ["momentum"] }
  public var defaultLearningRate: Double? { 1 }

  public func direct(
    _ part: borrowing ArenaPart, _ direction: UnsafeMutableBufferPointer<Float>, step: Int
  ) {}

  public func factor(parameterNorm: Double, directionNorm: Double) -> Double {
    guard parameterNorm != 0 && directionNorm != 0 else { return 1 }
    return trust * parameterNorm / (directionNorm + weightDecay * parameterNorm)
  }

  public func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float, factor: Float) {
    guard let w = part.parameters.baseAddress, let g = part.gradient.baseAddress else { return }
    ckernels_lars(
      w, g, part.state(0).baseAddress, learningRate * factor, Float(momentum),
      part.decays ? Float(weightDecay) : 0, part.count)
  }
}
