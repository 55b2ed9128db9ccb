/// Precision, recall and F1 of each class, and the mean of the F1: from how often a class is right, predicted, and both.
public struct ClassCounts: MeasureFamily {
  public static let labels = ["macroF1": "macro F1"]
  private let classes: Int

  public init?(_ task: MeasuredTask) {
    guard let classes = task.classCount else { return nil }
    self.classes = classes
  }

  public var counts: Int { 3 * classes }

  public func add(
    _ rows: MeasuredRows, counts: UnsafeMutablePointer<Int>, sums: UnsafeMutablePointer<Double>,
    scores: UnsafeMutablePointer<Float>
  ) {
    let labels = rows.targets.classNumbers
    for row in 0..<rows.count {
      let (label, predicted) = (Int(labels[row]), Int(rows.classes[row]))
      let units = rows.weights.units(row)
      counts[label] += units
      counts[classes + predicted] += units
      if label == predicted { counts[2 * classes + label] += units }
    }
  }

  /// A class that is never predicted has the precision 0, one without examples the recall 0.
  public func results(_ totals: MeasureTotals) -> [MeasureResult] {
    let counts = totals.counts
    func ratio(_ number: Int, _ of: Int, times factor: Double = 1) -> Double {
      of == 0 ? 0 : factor * Double(number) / Double(of)
    }
    let (precision, recall, f1) = (
      (0..<classes).map { ratio(counts[2 * classes + $0], counts[classes + $0]) },
      (0..<classes).map { ratio(counts[2 * classes + $0], counts[$0]) },
      (0..<classes).map { ratio(counts[2 * classes + $0], counts[$0] + counts[classes + $0], times: 2) }
    )
    // As elsewhere, the mean is over the classes that occur.
    let present = (0..<classes).filter { counts[$0] + counts[classes + $0] > 0 }
    let mean = present.reduce(0) { $0 + f1[$1] } / Double(max(1, present.count))
    return [
      .value("macroF1", mean), .ofClasses("support", (0..<classes).map { totals.weights.weight(counts[$0]) }),
      .ofClasses("precision", precision), .ofClasses("recall", recall), .ofClasses("f1", f1),
    ]
  }
}
