import CKernels

/// RMSprop (Tieleman & Hinton 2012), as `torch.optim.RMSprop`:
///
///     v ← α·v + (1 − α)·g²
///     h = g / (√v + ε)           or, `centered` (Graves 2013), with a ← a + (1 − α)·(g − a), g / (√(v − a²) + ε)
///     w ← w − η·h                or, with momentum μ, b ← μ·b + h, w ← w − η·b
///
/// where g has `weightDecay`·w added to it first.
public struct RMSprop: Optimizer, Equatable {
  public static let names = ["rmsprop"]
  public static let form = "rmsprop:alpha=0.99,epsilon=1e-8,momentum=0,centered,weight-decay=0"

  /// α, ε, μ, and what of w is added to g.
  public let alpha, epsilon, momentum, weightDecay: Double
  /// Whether the square of the mean is taken off.
  public let isCentered: Bool

  /// - Precondition: α and μ are from 0 to below 1, ε above 0, the decay not negative.
  public init(
    alpha: Double = 0.99, epsilon: Double = 1e-8, momentum: Double = 0, isCentered: Bool = false,
    weightDecay: Double = 0
  ) {
    precondition(0..<1 ~= alpha && 0..<1 ~= momentum && epsilon > 0 && weightDecay >= 0)
    (self.alpha, self.epsilon, self.momentum) = (alpha, epsilon, momentum)
    (self.isCentered, self.weightDecay) = (isCentered, weightDecay)
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    alpha = try reader.number("alpha", .fraction) ?? 0.99
    epsilon = try reader.number("epsilon", .positive) ?? 1e-8
    momentum = try reader.number("momentum", .fraction) ?? 0
    isCentered = reader.flag("centered")
    weightDecay = try reader.number("weight-decay", .notNegative) ?? 0
    try reader.end()
  }

  public var description: String {
    "rmsprop:alpha=\(alpha),epsilon=\(epsilon),momentum=\(momentum)\(isCentered ? ",centered" : ""),weight-decay=\(weightDecay)"
  }

  public var states: [String] {
    ["square"] + (momentum > 0 ? ["momentum"] : []) + (isCentered ? ["mean"] : [])
  }
  public var defaultLearningRate: Double? { 0.01 }

  public func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float) {
    guard let w = part.parameters.baseAddress, let g = part.gradient.baseAddress else { return }
    let coefficients = ckernels_rmsprop_coefficients(
      keep: Float(alpha), take: Float(1 - alpha), epsilon: Float(epsilon), momentum: Float(momentum),
      rate: learningRate, decay: part.decays ? Float(weightDecay) : 0)
    let buffer = momentum > 0 ? part.state(1).baseAddress : nil
    let mean = isCentered ? part.state(momentum > 0 ? 2 : 1).baseAddress : nil
    ckernels_rmsprop(w, g, part.state(0).baseAddress, buffer, mean, coefficients, part.count)
  }
}
