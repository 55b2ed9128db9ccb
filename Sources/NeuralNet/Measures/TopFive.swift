/// The fraction of examples whose class is among the five most probable ones, where there are more than five.
public struct TopFive: MeasureFamily {
  public static let labels = ["top5": "top-5"]
  private let classes: Int

  public init?(_ task: MeasuredTask) {
    guard let classes = task.classCount, classes > 5 else { return nil }
    self.classes = classes
  }

  public var counts: Int { 1 }

  public func add(
    _ rows: MeasuredRows, counts: UnsafeMutablePointer<Int>, sums: UnsafeMutablePointer<Double>,
    scores: UnsafeMutablePointer<Float>
  ) {
    let labels = rows.targets.classNumbers
    for row in 0..<rows.count {
      let p = rows.predictions + row * classes
      let label = Int(labels[row])
      // Of equals the first comes first.
      var better = 0
      for j in 0..<classes where p[j] > p[label] || (p[j] == p[label] && j < label) { better += 1 }
      if better < 5 { counts[0] += rows.weights.units(row) }
    }
  }

  public func results(_ totals: MeasureTotals) -> [MeasureResult] {
    [.value("top5", totals.weights.weight(totals.counts[0]) / totals.weights.total)]
  }
}
