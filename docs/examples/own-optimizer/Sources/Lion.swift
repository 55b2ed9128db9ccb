// An optimizer of one's own: Lion, whose steps all have the size η (Chen et al. 2023).
import NeuralNet

///     w ← w − η · sign(β₁·m + (1 − β₁)·g)          m ← β₂·m + (1 − β₂)·g
struct Lion: Optimizer {
  static let names = ["lion"]
  static let form = "lion:beta1=0.9,beta2=0.99"
  let beta1, beta2: Double

  init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    beta1 = try reader.number("beta1", .fraction) ?? 0.9
    beta2 = try reader.number("beta2", .fraction) ?? 0.99
    try reader.end()
  }

  var description: String { "lion:beta1=\(beta1),beta2=\(beta2)" }
  /// Kept beside the parameters, split over the ranks, saved in checkpoints.
  var states: [String] { ["momentum"] }
  var defaultLearningRate: Double? { 0.001 }

  func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float) {
    let (w, g, m) = (part.parameters, part.gradient, part.state(0))
    let (b1, b2) = (Float(beta1), Float(beta2))
    for i in 0..<part.count {
      let direction = b1 * m[i] + (1 - b1) * g[i]
      w[i] -= direction > 0 ? learningRate : direction < 0 ? -learningRate : direction
      m[i] = b2 * m[i] + (1 - b2) * g[i]
    }
  }
}
