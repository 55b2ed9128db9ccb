/// How often each class is taken for each other one; for up to 1,000 classes.
public struct ConfusionMatrix: MeasureFamily {
  public static let labels: [String: String] = [:]
  private let classes: Int

  public init?(_ task: MeasuredTask) {
    guard let classes = task.classCount, classes <= 1_000 else { return nil }
    self.classes = classes
  }

  public var counts: Int { classes * classes }

  public func add(
    _ rows: MeasuredRows, counts: UnsafeMutablePointer<Int>, sums: UnsafeMutablePointer<Double>,
    scores: UnsafeMutablePointer<Float>
  ) {
    let labels = rows.targets.classNumbers
    for row in 0..<rows.count {
      counts[Int(labels[row]) * classes + Int(rows.classes[row])] += rows.weights.units(row)
    }
  }

  public func results(_ totals: MeasureTotals) -> [MeasureResult] {
    [.matrix("confusion", totals.counts.map(totals.weights.weight))]
  }
}
