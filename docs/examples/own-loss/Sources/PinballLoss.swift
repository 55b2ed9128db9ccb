// A loss of one's own: the pinball loss, whose minimum is a quantile (Koenker & Bassett 1978).
import NeuralNet

/// q·d where d = y − ŷ ≥ 0, and (q − 1)·d below.
struct PinballLoss: ValueLoss {
  static let names = ["pinball"]
  static let form = "pinball:quantile=0.9"
  let quantile: Double

  init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    quantile = try reader.number("quantile", .fraction) ?? 0.9
    try reader.end()
  }

  var description: String { "pinball:quantile=\(quantile)" }

  func gradient(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, rows: Int, columns: Int, scale: Float
  ) -> Double {
    let (y, q) = (targets.numbers, Float(quantile))
    var sum = 0.0
    for row in 0..<rows {
      let d = y[row] - output[row]
      sum += Double(d < 0 ? (q - 1) * d : q * d)
      // What is no number must stay none, so that a diverged run is noticed.
      output[row] = d.isNaN ? .nan : scale * (d < 0 ? 1 - q : -q)
    }
    return sum
  }
}
