import CKernels

/// Adam (Kingma & Ba 2015), and AdamW, whose weight decay does not pass through the averages (Loshchilov & Hutter
/// 2019); as `torch.optim.Adam` and `AdamW`. t is the number of the step, from 1:
///
///     m ← β₁·m + (1 − β₁)·g          v ← β₂·v + (1 − β₂)·g²
///     w ← w − η/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
///
/// `adam` adds `weightDecay`·w to g first; `adamw` begins with w ← (1 − η·weightDecay)·w.
public struct Adam: Optimizer, Equatable {
  public static let names = ["adam", "adamw"]
  public static let form = "adam:beta1=0.9,beta2=0.999,epsilon=1e-8,weight-decay=0, or adamw"

  /// AdamW.
  public let isDecoupled: Bool
  /// β₁, β₂, ε and the weight decay.
  public let beta1, beta2, epsilon, weightDecay: Double

  /// - Parameters:
  ///   - isDecoupled: AdamW.
  ///   - weightDecay: 0, or 0.01 for AdamW, if it is not said.
  /// - Precondition: β₁ and β₂ are from 0 to below 1, ε above 0, the decay not negative.
  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double? = nil,
    isDecoupled: Bool = false
  ) {
    self.isDecoupled = isDecoupled
    (self.beta1, self.beta2, self.epsilon) = (beta1, beta2, epsilon)
    self.weightDecay = weightDecay ?? (isDecoupled ? 0.01 : 0)
    precondition(
      0..<1 ~= beta1 && 0..<1 ~= beta2 && epsilon > 0 && self.weightDecay >= 0,
      "Adam's averages keep from 0 to below 1, ε is above 0 and the decay not negative")
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    isDecoupled = word.name == "adamw"
    beta1 = try reader.number("beta1", .fraction) ?? 0.9
    beta2 = try reader.number("beta2", .fraction) ?? 0.999
    epsilon = try reader.number("epsilon", .positive) ?? 1e-8
    weightDecay = try reader.number("weight-decay", .notNegative) ?? (isDecoupled ? 0.01 : 0)
    try reader.end()
  }

  public var description: String {
    "\(isDecoupled ? "adamw" : "adam"):beta1=\(beta1),beta2=\(beta2),epsilon=\(epsilon),weight-decay=\(weightDecay)"
  }

  public var states: [String] { ["mean", "square"] }
  public var defaultLearningRate: Double? { 0.001 }

  public func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float) {
    guard let w = part.parameters.baseAddress, let g = part.gradient.baseAddress else { return }
    let rate = Double(learningRate)
    let decay = part.decays ? weightDecay : 0
    let coefficients = ckernels_adam_coefficients(
      mean_rate: Float(1 - beta1), square_keep: Float(beta2), square_rate: Float(1 - beta2),
      step_size: Float(rate / (1 - power(beta1, step))),
      square_scale: Float(1 / (1 - power(beta2, step)).squareRoot()), epsilon: Float(epsilon),
      decay: isDecoupled ? 0 : Float(decay), shrink: isDecoupled ? Float(1 - rate * decay) : 1)
    ckernels_adam(w, g, part.state(0).baseAddress, part.state(1).baseAddress, coefficients, part.count)
  }
}

/// xⁿ by repeated squaring: the same bits with every C library.
func power(_ x: Double, _ exponent: Int) -> Double {
  var (result, base, rest) = (1.0, x, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= base }
    base *= base
    rest >>= 1
  }
  return result
}
