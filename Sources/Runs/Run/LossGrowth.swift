// A loss that grows and stays finite: told after the epoch, with a learning rate that would do.
import DistributedSGD
import Glibc
import NeuralNet
import Text

/// Whether the loss has grown as it does only where every update makes the next one larger.
struct LossGrowth {
  /// So many times the first batch's loss is more than batches differ by.
  private static let factor = 100.0
  /// Below this a loss may grow to many times itself for the batches' sake.
  private static let least = 0.001

  /// Of the first batch.
  private var first: Double?
  private var isTold = false

  mutating func add(_ loss: Float) { if first == nil { first = Double(loss) } }

  /// - Returns: the loss of the first batch, if that of a whole epoch is far above it for the first time.
  mutating func start(of epochLoss: Double) -> Double? {
    guard let first, !isTold, epochLoss > Self.factor * max(first, Self.least) else { return nil }
    isTold = true
    return first
  }
}

extension TrainingRun {
  /// The line about a loss that has grown.
  func words(ofGrowthFrom first: Double, to last: Double) -> String {
    "the loss has grown from \(readableLoss(first)) to \(readableLoss(last)) in an epoch: training diverges; \(lowerRate)"
  }

  /// What to do about the learning rate.
  var lowerRate: String {
    let now = "(it is \(trainer.learningRate))"
    guard let steady = steadyRate, steady < Double(trainer.learningRate) else {
      return "lower --learning-rate \(now)"
    }
    return "lower --learning-rate to \(steady) \(now)"
  }

  /// A rate at which a linear model with the squared loss does not diverge, in one digit; nil for all others.
  ///
  /// Gradient descent is stable below 2/λ, λ the largest eigenvalue of E[x xᵀ], x the inputs and a 1 for the bias. Of
  /// batches of B examples the stable rate is lower: λ + E[|x|²]/B bounds what stands for λ then. Half of that is taken.
  private var steadyRate: Double? {
    guard setUp.specification.layers.count == 1, setUp.loss is SquaredLoss, options.optimizer is SGD else {
      return nil
    }
    let data = setUp.training
    let width = data.featureCount
    let rows = min(data.count, max(1, min(10_000, 4_000_000 / width)))
    var x = [Double](repeating: 1, count: width + 1)
    func load(_ number: Int) {
      let start = number * data.count / rows * width
      switch data.features {
      case .float32(let values): for j in 0..<width { x[j] = Double(values[start + j]) }
      case .uint8(let values, let scale):
        for j in 0..<width { x[j] = Double(Float(values[start + j]) * scale) }
      }
    }
    var direction = [Double](repeating: 1 / Double(width + 1).squareRoot(), count: width + 1)
    var (eigenvalue, size) = (0.0, 0.0)
    for _ in 0..<20 {
      var image = [Double](repeating: 0, count: width + 1)
      size = 0
      for row in 0..<rows {
        load(row)
        var product = 0.0
        for j in 0...width {
          product += x[j] * direction[j]
          size += x[j] * x[j]
        }
        for j in 0...width { image[j] += product * x[j] }
      }
      let length = image.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 0, length.isFinite else { return nil }
      eigenvalue = length / Double(rows)
      direction = image.map { $0 / length }
    }
    let rate = 1 / (eigenvalue + size / Double(rows) / Double(options.globalBatch))
    let digit = pow(10, log10(rate).rounded(.down))
    return rate.isFinite && rate > 0 ? decimal((rate / digit).rounded(.down), digit) : nil
  }

  /// digits × a power of ten, as it is written.
  private func decimal(_ digits: Double, _ power: Double) -> Double {
    power < 1 ? digits / (1 / power).rounded() : digits * power
  }
}
