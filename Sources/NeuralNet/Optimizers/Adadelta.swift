import CKernels

/// Adadelta (Zeiler 2012), as `torch.optim.Adadelta`:
///
///     v ← ρ·v + (1 − ρ)·g²
///     d = √(u + ε) / √(v + ε) · g
///     u ← ρ·u + (1 − ρ)·d²
///     w ← w − η·d
///
/// where g has `weightDecay`·w added to it first.
public struct Adadelta: Optimizer, Equatable {
  public static let names = ["adadelta"]
  public static let form = "adadelta:rho=0.9,epsilon=1e-6,weight-decay=0"

  /// ρ, ε, and what of w is added to g.
  public let rho, epsilon, weightDecay: Double

  /// - Precondition: ρ is from 0 to below 1, ε above 0, the decay not negative.
  public init(rho: Double = 0.9, epsilon: Double = 1e-6, weightDecay: Double = 0) {
    precondition(0..<1 ~= rho && epsilon > 0 && weightDecay >= 0)
    (self.rho, self.epsilon, self.weightDecay) = (rho, epsilon, weightDecay)
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    rho = try reader.number("rho", .fraction) ?? 0.9
    epsilon = try reader.number("epsilon", .positive) ?? 1e-6
    weightDecay = try reader.number("weight-decay", .notNegative) ?? 0
    try reader.end()
  }

  public var description: String { "adadelta:rho=\(rho),epsilon=\(epsilon),weight-decay=\(weightDecay)" }

  public var states: [String] { ["square", "delta"] }
  public var defaultLearningRate: Double? { 1 }

  public func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float) {
    guard let w = part.parameters.baseAddress, let g = part.gradient.baseAddress else { return }
    let coefficients = ckernels_adadelta_coefficients(
      keep: Float(rho), take: Float(1 - rho), epsilon: Float(epsilon), rate: learningRate,
      decay: part.decays ? Float(weightDecay) : 0)
    ckernels_adadelta(
      w, g, part.state(0).baseAddress, part.state(1).baseAddress, coefficients, part.count)
  }
}
