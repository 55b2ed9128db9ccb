// Examples that count more than others. The loss of a batch is Σ wᵢ·lᵢ / Σ wᵢ, both sums over the global batch, and its
// gradient is Σ wᵢ·∇lᵢ / Σ wᵢ; of a batch without any weight both are 0. w is an example's own weight times its class's.
import NeuralNet

/// Σ w of a batch, and the losses of rows with weights. Every rank adds up the weights of the whole batch by itself, from
/// the first position to the last, so that all have the same bits.
package final class BatchWeights {
  private static let capacity = 1_024

  private let dataset: Dataset
  private let classWeights: [Float]?
  /// α of mixup, by which an example's weight is mixed with its partner's.
  private let alpha: Double?
  private let seed: UInt64
  private let reader = OrderReader(maximumCount: capacity)

  /// nil where all examples count the same.
  package init?(_ dataset: Dataset, _ treatment: Treatment, seed: UInt64) {
    guard dataset.weights != nil || treatment.classWeights != nil else { return nil }
    self.dataset = dataset
    self.seed = seed
    classWeights = treatment.classWeights
    alpha = treatment.mixup
  }

  @inline(__always)
  private func weight(_ example: Int) -> Float {
    let own = dataset.weights?[example] ?? 1
    guard let classWeights else { return own }
    let labels = dataset.targetMemory.assumingMemoryBound(to: Int32.self)
    return own * classWeights[Int(labels[example])]
  }

  /// 1 / Σ w
  package func scale(_ order: EpochOrder, positions: Range<Int>) -> Float {
    var sum = 0.0
    let mixing = alpha.map { Mixing(alpha: $0, seed: seed, epoch: order.epoch) }
    var start = positions.lowerBound
    while start < positions.upperBound {
      let end = min(start + Self.capacity, positions.upperBound)
      let examples = reader.examples(of: order, at: start..<end)
      for index in 0..<end - start {
        guard let mixing else {
          sum += Double(weight(examples[index]))
          continue
        }
        let share = mixing.share(at: start + index)
        let partner = order.example(at: mixing.partner(of: start + index, in: positions))
        sum += Double(share * weight(examples[index]) + (1 - share) * weight(partner))
      }
      start = end
    }
    return sum > 0 ? Float(1 / sum) : 0
  }
}

extension Loss {
  /// Σ w·l over rows, each by itself; `output` becomes the gradient of `scale` times that.
  func gradient(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, weights: UnsafePointer<Float>,
    rows: Range<Int>, columns: Int, scale: Float
  ) -> Double {
    let width = takesSeveralTargets ? columns : 1
    var sum = 0.0
    for row in rows {
      let loss = gradient(
        output + row * columns, targets.dropFirst(row * width), rows: 1, columns: columns,
        scale: weights[row] * scale)
      // What does not count adds nothing, whatever its loss is.
      if weights[row] > 0 { sum += Double(weights[row]) * loss }
    }
    return sum
  }

  /// The same for pieces of the rows: `losses[i]` becomes `scale` times the sum of piece i.
  func gradient(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, weights: UnsafePointer<Float>,
    pieces: UnsafeBufferPointer<Int>, columns: Int, scale: Float, into losses: UnsafeMutablePointer<Float>
  ) {
    for piece in 0..<pieces.count - 1 {
      let sum = gradient(
        output, targets, weights: weights, rows: pieces[piece]..<pieces[piece + 1], columns: columns,
        scale: scale)
      losses[piece] = Float(sum) * scale
    }
  }

  /// The sums of `evaluate` with weights.
  /// - Parameter row: room for the sums of one row.
  func evaluate(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, weights: UnsafePointer<Float>, rows: Int,
    columns: Int, into sums: UnsafeMutablePointer<Double>, row: UnsafeMutableBufferPointer<Double>
  ) {
    let width = takesSeveralTargets ? columns : 1
    for index in row.indices { sums[index] = 0 }
    for number in 0..<rows {
      evaluate(
        output + number * columns, targets.dropFirst(number * width), rows: 1, columns: columns,
        into: row.baseAddress!)
      guard weights[number] > 0 else { continue }
      for index in row.indices { sums[index] += Double(weights[number]) * row[index] }
    }
  }
}
