/// The area under the receiver operating characteristic of two classes: how often an example of class 1 has a higher
/// probability of being one than an example of class 0; a tie counts half. Exact, by the ranks of all probabilities
/// (Mann & Whitney 1947).
public struct AreaUnderCurve: MeasureFamily {
  public static let labels = ["auc": "AUC"]

  public init?(_ task: MeasuredTask) { if task.classCount != 2 { return nil } }

  public var keepsScores: Bool { true }

  public func add(
    _ rows: MeasuredRows, counts: UnsafeMutablePointer<Int>, sums: UnsafeMutablePointer<Double>,
    scores: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows.count { scores[row] = rows.predictions[2 * row + 1] }
  }

  public func results(_ totals: MeasureTotals) -> [MeasureResult] {
    guard totals.weights.isEven else { return weighted(totals) }
    let (scores, labels) = (totals.scores, totals.targets.classNumbers)
    let order = scores.indices.sorted { scores[$0] < scores[$1] }
    // Twice the number of pairs in the right order: whole numbers, whose order of addition does not show.
    var (negatives, positives, pairs) = (0, 0, 0)
    var start = 0
    while start < order.count {
      var (ties, positiveTies) = (0, 0)
      while start + ties < order.count, scores[order[start + ties]] == scores[order[start]] {
        if labels[order[start + ties]] == 1 { positiveTies += 1 }
        ties += 1
      }
      // One that is no number is equal to none, not even to itself.
      if ties == 0 { return [] }
      pairs += positiveTies * (2 * negatives + (ties - positiveTies))
      positives += positiveTies
      negatives += ties - positiveTies
      start += ties
    }
    guard positives > 0, negatives > 0 else { return [] }
    return [.value("auc", Double(pairs) / (2 * Double(positives) * Double(negatives)))]
  }

  /// The same of examples with weights: a pair counts the product of its two. All ranks have all rows, and add them in the
  /// order of their scores.
  private func weighted(_ totals: MeasureTotals) -> [MeasureResult] {
    let (scores, labels) = (totals.scores, totals.targets.classNumbers)
    let order = scores.indices.filter { totals.weights[$0] > 0 }
      .sorted { (scores[$0], $0) < (scores[$1], $1) }
    var (negatives, positives, pairs) = (0.0, 0.0, 0.0)
    var start = 0
    while start < order.count {
      var (negativeTies, positiveTies) = (0.0, 0.0)
      let first = start
      while start < order.count, scores[order[start]] == scores[order[first]] {
        let weight = totals.weights[order[start]]
        if labels[order[start]] == 1 { positiveTies += weight } else { negativeTies += weight }
        start += 1
      }
      if start == first { return [] }
      pairs += positiveTies * (2 * negatives + negativeTies)
      positives += positiveTies
      negatives += negativeTies
    }
    guard positives > 0, negatives > 0 else { return [] }
    return [.value("auc", pairs / (2 * positives * negatives))]
  }
}
