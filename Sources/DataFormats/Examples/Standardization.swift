// Standard units: columns shifted to mean 0 and scaled to population standard deviation 1.
import System

/// Mean and deviation of every input column, and of the targets.
struct ColumnStatistics: Equatable {
  /// Shape (featureCount).
  var means: [Double]
  /// Shape (featureCount); 1 for a constant column.
  var deviations: [Double]
  /// Shape (targetCount).
  var targetMeans: [Double] = []
  /// Shape (targetCount); 1 for a constant target.
  var targetDeviations: [Double] = []

  init(means: [Double], deviations: [Double]) {
    self.means = means
    self.deviations = deviations
  }

  /// Nothing is shifted; every input is divided by `deviation`.
  static func identity(featureCount: Int, deviation: Double = 1) -> ColumnStatistics {
    ColumnStatistics(
      means: Array(repeating: 0, count: featureCount),
      deviations: Array(repeating: deviation, count: featureCount))
  }

  /// Population statistics (divided by N) of all rows; the targets' too where `includesTarget`. Categories, which
  /// become zeros and ones, stay as they are.
  ///
  /// - Throws: `badData` naming a column whose squares do not fit a Double.
  init(of raw: RawExamples, includesTarget: Bool) throws(DistsgdError) {
    switch raw.features {
    case .doubles(let values):
      (means, deviations) = values.withUnsafeBufferPointer { moments($0, columns: raw.featureCount) }
    case .floats(let values): (means, deviations) = moments(values, columns: raw.featureCount)
    case .bytes(let values): (means, deviations) = moments(values, columns: raw.featureCount)
    }
    for column in raw.categories.indices where !raw.categories[column].isEmpty {
      (means[column], deviations[column]) = (0, 1)
    }
    if includesTarget, let targets = raw.targets {
      (targetMeans, targetDeviations) = moments(targets, columns: raw.targetCount)
    }
    for column in 0..<raw.featureCount where !means[column].isFinite || !deviations[column].isFinite {
      throw DistsgdError(
        .badData,
        "numbers too large to standardise, \(raw.source) \(raw.columnName(column)): rescale it, or use --no-standardize"
      )
    }
    guard (targetMeans + targetDeviations).allSatisfy(\.isFinite) else {
      throw DistsgdError(
        .badData,
        "numbers too large to standardise, \(raw.source) target: rescale it, or use --no-standardize")
    }
  }
}

/// Column means and population deviations of a row-major matrix, in two passes shifted by the first row, so
/// that a constant column has deviation exactly 0, which becomes 1.
private func moments<T: RawNumber>(_ values: [T], columns: Int) -> (means: [Double], deviations: [Double]) {
  values.withUnsafeBufferPointer { moments($0, columns: columns) }
}

private func moments<T: RawNumber>(
  _ x: UnsafeBufferPointer<T>, columns: Int
) -> (means: [Double], deviations: [Double]) {
  let rows = columns == 0 ? 0 : x.count / columns
  guard rows > 0 else {
    return (Array(repeating: 0, count: columns), Array(repeating: 1, count: columns))
  }
  let origin = (0..<columns).map { x[$0].asDouble }
  var means = [Double](repeating: 0, count: columns)
  var squares = [Double](repeating: 0, count: columns)
  for row in 0..<rows {
    for j in 0..<columns { means[j] += x[row * columns + j].asDouble - origin[j] }
  }
  for j in 0..<columns { means[j] = origin[j] + means[j] / Double(rows) }
  for row in 0..<rows {
    for j in 0..<columns {
      let difference = x[row * columns + j].asDouble - means[j]
      squares[j] += difference * difference
    }
  }
  let deviations = squares.map { sum in
    let deviation = (sum / Double(rows)).squareRoot()
    return deviation == 0 ? 1 : deviation
  }
  return (means, deviations)
}

/// (values − means) / deviations as Float, row-major.
/// - Parameters:
///   - inFile: whether they are kept in a file.
///   - source: for messages.
/// - Throws: where no file can be made.
func standardized<T: RawNumber>(
  _ x: UnsafeBufferPointer<T>, _ statistics: ColumnStatistics, inFile: Bool = false, source: String
) throws(DistsgdError) -> Inputs {
  let columns = statistics.means.count
  let rows = columns == 0 ? 0 : x.count / columns
  return try Inputs(count: rows * columns, inFile: inFile, source: source) { buffer in
    statistics.means.withUnsafeBufferPointer { mean in
      statistics.deviations.withUnsafeBufferPointer { deviation in
        inParallel(over: rows, least: max(1, 1 << 18 / max(1, columns))) { rows in
          for row in rows {
            for j in 0..<columns {
              let index = row * columns + j
              buffer.initializeElement(at: index, to: Float((x[index].asDouble - mean[j]) / deviation[j]))
            }
          }
        }
      }
    }
  }
}
