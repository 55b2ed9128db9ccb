/// The errors of predicted numbers in the target's own units: RMSE, the root of the mean square; MAE, the mean size; and
/// R², the fraction of the target's variance that the predictions explain. Of several targets each has its own, and
/// their mean is the one number that is told.
public struct ErrorsOfNumbers: MeasureFamily {
  public static let labels = ["rmse": "RMSE", "mae": "MAE", "r2": "R²"]
  private let deviations: [Double]

  public init?(_ task: MeasuredTask) {
    guard task.classCount == nil, !task.deviations.isEmpty else { return nil }
    deviations = task.deviations
  }

  public var sums: Int { 2 * deviations.count }

  public func add(
    _ rows: MeasuredRows, counts: UnsafeMutablePointer<Int>, sums: UnsafeMutablePointer<Double>,
    scores: UnsafeMutablePointer<Float>
  ) {
    let targets = deviations.count
    let values = rows.targets.numbers
    for index in 0..<rows.count * targets {
      let weight = rows.weights[index / targets]
      // What does not count adds nothing, whatever is predicted.
      guard weight > 0 else { continue }
      let error = Double(rows.predictions[index]) - Double(values[index])
      sums[index % targets] += weight * (error * error)
      sums[targets + index % targets] += weight * abs(error)
    }
  }

  public func results(_ totals: MeasureTotals) -> [MeasureResult] {
    let targets = deviations.count
    let count = totals.weights.total
    let rmse = (0..<targets).map { deviations[$0] * (totals.sums[$0] / count).squareRoot() }
    let mae = (0..<targets).map { deviations[$0] * totals.sums[targets + $0] / count }
    let r2 = (0..<targets).map { 1 - totals.sums[$0] / squares(totals, target: $0) }
    func told(_ name: String, _ values: [Double]) -> [MeasureResult] {
      guard values.allSatisfy(\.isFinite) else { return [] }
      let mean = values.reduce(0, +) / Double(targets)
      return [.value(name, mean)] + (targets > 1 ? [.ofTargets(name, values)] : [])
    }
    return told("rmse", rmse) + told("mae", mae) + told("r2", r2)
  }

  /// The sum of the squares of a target's distances from its mean; 0 where it is constant, which no R² is told of.
  private func squares(_ totals: MeasureTotals, target: Int) -> Double {
    let values = totals.targets.numbers + target
    // From the first one on, so that equal ones are at no distance.
    let origin = Double(values[0])
    var sum = 0.0
    for row in 0..<totals.examples {
      sum += totals.weights[row] * (Double(values[row * deviations.count]) - origin)
    }
    let mean = origin + sum / totals.weights.total
    var squares = 0.0
    for row in 0..<totals.examples {
      let distance = Double(values[row * deviations.count]) - mean
      squares += totals.weights[row] * (distance * distance)
    }
    return squares
  }
}
