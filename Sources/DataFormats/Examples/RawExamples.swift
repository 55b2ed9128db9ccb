// What every reader returns: columns as they stand in the file, before cutting, splitting and standardising.
import Text

/// Rows of raw inputs and, where the file has them, raw targets.
struct RawExamples {
  /// Row-major inputs, shape (count, featureCount), in the narrowest type that holds the file's numbers.
  enum Values {
    case doubles([Double])
    case floats([Float])
    case bytes([UInt8])
  }

  /// What the numbers are, which decides what may be done to them.
  enum Kind { case table, arrays, images }

  /// File or set, for messages and the summary.
  var source: String
  var kind: Kind
  var count: Int
  var featureCount: Int
  /// Of one example, where it is more than a row of numbers: `[channels, height, width]`.
  var exampleShape: [Int]?
  var features: Values
  /// Where the inputs are, if they were not read: `features` says of which kind they are, and is empty.
  var mapped: MappedFeatures?
  /// Shape (count).
  var targets: [Double]?
  /// Empty where the inputs have no names.
  var featureNames: [String]
  var targetName: String
  /// The targets are class numbers unless the user says otherwise.
  var isLabelled = false
  /// The default model when they are.
  var classifier = DefaultModel.softmax
  /// The number of classes when the labels alone would give fewer.
  var minimumClassCount = 0
  /// Rows used when the user does not say how many.
  var defaultExamples: Int?
  /// Standardise unless the user says otherwise.
  var standardizesByDefault = false
  /// What the file calls the classes that the targets number; nil where targets are just numbers.
  var classNames: [String]?
  /// What the user is told about them beside their number.
  var note: String?
  /// Means and deviations that do not come from the training rows.
  var fixedStatistics: ColumnStatistics?

  /// Bytes of so many rows, as they are here.
  func bytes(rows: Int) -> Double {
    let size =
      switch features {
      case .doubles: 8.0
      case .floats: 4.0
      case .bytes: 1.0
      }
    return Double(rows) * (mapped == nil ? size * Double(featureCount) + 8 : 8)
  }

  /// The first `rows` rows.
  consuming func prefix(_ rows: Int) -> RawExamples {
    guard rows < count else { return self }
    if let mapped {
      let all = count
      var result = self
      result.mapped?.byteCount = mapped.byteCount / all * rows
      result.count = rows
      result.targets = result.targets.map { Array($0[..<rows]) }
      return result
    }
    return selecting(Array(0..<rows))
  }

  /// The rows with these indices, in this order; not of mapped inputs.
  func selecting(_ rows: [Int]) -> RawExamples {
    var result = self
    result.count = rows.count
    result.targets = targets.map { all in rows.map { all[$0] } }
    switch features {
    case .doubles(let values): result.features = .doubles(gather(values, rows))
    case .floats(let values): result.features = .floats(gather(values, rows))
    case .bytes(let values): result.features = .bytes(gather(values, rows))
    }
    return result
  }

  private func gather<T>(_ values: [T], _ rows: [Int]) -> [T] {
    let width = featureCount
    return [T](unsafeUninitializedCapacity: rows.count * width) { buffer, initialized in
      values.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = buffer.baseAddress, width > 0 else { return }
        for (position, row) in rows.enumerated() {
          (to + position * width).initialize(from: from + row * width, count: width)
        }
      }
      initialized = rows.count * width
    }
  }

  /// How a message names input column `column`.
  func columnName(_ column: Int) -> String {
    column < featureNames.count
      ? "column '\(printable(featureNames[column]))'" : "input \(column) (counted from 0)"
  }
}

/// A matrix in memory whose columns have names becomes inputs and a target, as a table file would.
func tableColumns<T: RawNumber>(
  of matrix: [T], names: [String], choice: ColumnChoice, source: String,
  wrap: ([T]) -> RawExamples.Values
) -> RawExamples {
  let width = names.count
  let rows = matrix.count / max(1, width)
  let columns = choice.features
  let features = [T](unsafeUninitializedCapacity: rows * columns.count) { buffer, initialized in
    for row in 0..<rows {
      for (position, column) in columns.enumerated() {
        buffer.initializeElement(at: row * columns.count + position, to: matrix[row * width + column])
      }
    }
    initialized = rows * columns.count
  }
  let targets = choice.target.map { column in (0..<rows).map { matrix[$0 * width + column].asDouble } }
  return RawExamples(
    source: source, kind: .table, count: rows, featureCount: columns.count, features: wrap(features),
    targets: targets, featureNames: columns.map { names[$0] },
    targetName: choice.target.map { names[$0] } ?? "")
}

/// An element type of raw columns.
protocol RawNumber { var asDouble: Double { get } }
extension Double: RawNumber { var asDouble: Double { self } }
extension Float: RawNumber { var asDouble: Double { Double(self) } }
extension UInt8: RawNumber { var asDouble: Double { Double(self) } }
