import CKernels

/// Adagrad (Duchi et al. 2011), as `torch.optim.Adagrad`; t is the number of the step, from 1:
///
///     s ← s + g²
///     w ← w − η/(1 + (t − 1)·rateDecay) · g / (√s + ε)
///
/// where g has `weightDecay`·w added to it first.
public struct Adagrad: Optimizer, Equatable {
  public static let names = ["adagrad"]
  public static let form = "adagrad:epsilon=1e-10,rate-decay=0,weight-decay=0"

  /// ε, how fast η falls, and what of w is added to g.
  public let epsilon, rateDecay, weightDecay: Double

  /// - Precondition: ε is above 0, the others not negative.
  public init(epsilon: Double = 1e-10, rateDecay: Double = 0, weightDecay: Double = 0) {
    precondition(epsilon > 0 && rateDecay >= 0 && weightDecay >= 0)
    (self.epsilon, self.rateDecay, self.weightDecay) = (epsilon, rateDecay, weightDecay)
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    epsilon = try reader.number("epsilon", .positive) ?? 1e-10
    rateDecay = try reader.number("rate-decay", .notNegative) ?? 0
    weightDecay = try reader.number("weight-decay", .notNegative) ?? 0
    try reader.end()
  }

  public var description: String {
    "adagrad:epsilon=\(epsilon),rate-decay=\(rateDecay),weight-decay=\(weightDecay)"
  }

  public var states: [String] { ["sum"] }
  public var defaultLearningRate: Double? { 0.01 }

  public func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float) {
    guard let w = part.parameters.baseAddress, let g = part.gradient.baseAddress else { return }
    let rate = Double(learningRate) / (1 + Double(step - 1) * rateDecay)
    ckernels_adagrad(
      w, g, part.state(0).baseAddress, Float(rate), Float(epsilon), part.decays ? Float(weightDecay) : 0,
      part.count)
  }
}
