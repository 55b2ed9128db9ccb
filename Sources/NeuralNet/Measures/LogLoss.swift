import Glibc

/// The mean of −log p, p the probability of the right class: the loss itself where that is what was minimised.
public struct LogLoss: MeasureFamily {
  public static let labels = ["logLoss": "log loss"]
  private let classes: Int
  private let isLoss: Bool

  public init?(_ task: MeasuredTask) {
    guard let classes = task.classCount else { return nil }
    self.classes = classes
    isLoss = task.lossIsLogLoss
  }

  public var sums: Int { isLoss ? 0 : 1 }

  public func add(
    _ rows: MeasuredRows, counts: UnsafeMutablePointer<Int>, sums: UnsafeMutablePointer<Double>,
    scores: UnsafeMutablePointer<Float>
  ) {
    if isLoss { return }
    let labels = rows.targets.classNumbers
    for row in 0..<rows.count {
      // Single precision's smallest number stands for a probability that it takes for 0.
      let p = Double(max(rows.predictions[row * classes + Int(labels[row])], .leastNormalMagnitude))
      sums[0] -= rows.weights[row] * log(p)
    }
  }

  public func results(_ totals: MeasureTotals) -> [MeasureResult] {
    [.value("logLoss", isLoss ? totals.loss : totals.sums[0] / totals.weights.total)]
  }
}
