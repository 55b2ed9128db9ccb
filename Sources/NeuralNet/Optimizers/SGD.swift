import CKernels

/// Stochastic gradient descent, as `torch.optim.SGD`: w ← w − η·g, or with momentum μ (Polyak 1964)
///
///     m ← μ·m + g
///     w ← w − η·m           or, by Nesterov (Sutskever et al. 2013), w ← w − η·(g + μ·m)
///
/// where g has `weightDecay`·w added to it first.
public struct SGD: Optimizer, Equatable {
  public static let names = ["sgd"]
  public static let form = "sgd:momentum=0.9,nesterov"

  /// μ; 0 keeps no state.
  public let momentum: Double
  /// Whether the step looks ahead.
  public let isNesterov: Bool
  /// What of w is added to g.
  public let weightDecay: Double

  /// - Precondition: 0 ≤ `momentum` < 1, `weightDecay` ≥ 0, and Nesterov's form has a momentum.
  public init(momentum: Double = 0, isNesterov: Bool = false, weightDecay: Double = 0) {
    precondition(0..<1 ~= momentum && weightDecay >= 0 && (momentum > 0 || !isNesterov))
    self.momentum = momentum
    self.isNesterov = isNesterov
    self.weightDecay = weightDecay
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    momentum = try reader.number("momentum", .fraction) ?? 0
    isNesterov = reader.flag("nesterov")
    weightDecay = try reader.number("weight-decay", .notNegative) ?? 0
    try reader.end()
    guard momentum > 0 || !isNesterov else {
      throw WordError(word.text, "nesterov needs a momentum, as in \(Self.form)")
    }
  }

  public var description: String {
    var settings: [String] = []
    if momentum > 0 { settings.append("momentum=\(momentum)") }
    if isNesterov { settings.append("nesterov") }
    if weightDecay > 0 { settings.append("weight-decay=\(weightDecay)") }
    return settings.isEmpty ? "sgd" : "sgd:" + settings.joined(separator: ",")
  }

  public var states: [String] { momentum > 0 ? ["momentum"] : [] }

  @inline(__always)
  public func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float) {
    guard let w = part.parameters.baseAddress, let g = part.gradient.baseAddress else { return }
    let decay = part.decays ? Float(weightDecay) : 0
    if momentum == 0 && decay == 0 { return ckernels_descend(w, g, learningRate, part.count) }
    if momentum == 0 {
      return ckernels_descend_decayed(w, g, learningRate, decay, part.count)
    }
    ckernels_momentum(
      w, g, part.state(0).baseAddress, learningRate, Float(momentum), decay, isNesterov, part.count)
  }
}
