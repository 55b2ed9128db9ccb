// What every reader returns: columns as they stand in the file, before cutting, splitting and standardising.
import System
import Text

/// Rows of raw inputs and, where the file has them, raw targets.
struct RawExamples {
  /// Row-major inputs, shape (count, featureCount), in the narrowest type that holds the file's numbers.
  enum Values {
    case doubles(Numbers)
    case floats([Float])
    case bytes([UInt8])
  }

  /// What the numbers are, which decides what may be done to them.
  enum Kind { case table, arrays, images }

  /// The first missing value, for a message.
  struct Missing {
    var place: String
    var text: String
    /// Of the first among the targets.
    var targetPlace: String
    /// Whether all of them are fields with nothing in them.
    var isEmpty: Bool
  }

  /// File or set, for messages and the summary.
  var source: String
  var kind: Kind
  var count: Int
  /// Raw columns of an example.
  var featureCount: Int
  /// Of one example, where it is more than a row of numbers: `[channels, height, width]`.
  var exampleShape: [Int]?
  /// NaN is a missing value.
  var features: Values
  /// Where the inputs are, if they were not read: `features` says of which kind they are, and is empty.
  var mapped: MappedFeatures?
  /// Empty where the inputs have no names.
  var featureNames: [String]
  /// One a column: the texts whose numbers it holds, none for a column of numbers. Empty where all are of numbers.
  var categories: [[String]] = []
  /// Shape (count, targetNames.count); NaN is a missing value.
  var targets: [Double]?
  /// One a target.
  var targetNames: [String] = []
  /// The texts whose numbers the targets are.
  var targetTexts: [String]?
  /// Shape (count); NaN is a missing value.
  var weights: [Double]?
  /// Shape (count).
  var identifiers: [String]?
  var identifierName = ""
  /// nil: no value is missing.
  var missing: Missing?
  /// The targets are class numbers unless the user says otherwise.
  var isLabelled = false
  /// The default model when they are.
  var classifier = DefaultModel.softmax
  /// Classes that there are whether they have examples or not, numbered from 0.
  var fixedClassCount: Int?
  /// Rows used when the user does not say how many.
  var defaultExamples: Int?
  /// Standardise unless the user says otherwise.
  var standardizesByDefault = false
  /// Means and deviations that do not come from the training rows.
  var fixedStatistics: ColumnStatistics?
  /// How the file was read, in words for the summary.
  var layout = ""
  /// Lines for the user about what was assumed.
  var notes: [String] = []

  init(
    source: String, kind: Kind, count: Int, featureCount: Int, exampleShape: [Int]? = nil, features: Values,
    featureNames: [String] = [], targets: [Double]? = nil, targetNames: [String] = []
  ) {
    self.source = source
    self.kind = kind
    self.count = count
    self.featureCount = featureCount
    self.exampleShape = exampleShape
    self.features = features
    self.featureNames = featureNames
    self.targets = targets
    self.targetNames = targetNames
  }

  var targetCount: Int { max(1, targetNames.count) }
  /// Of the first.
  var targetName: String { targetNames.first ?? "" }

  /// Bytes of so many rows, as they are here.
  func bytes(rows: Int) -> Double {
    let size =
      switch features {
      case .doubles(let values): values.isInFile ? 0 : 8.0
      case .floats: 4.0
      case .bytes: 1.0
      }
    return Double(rows) * (mapped == nil ? size * Double(featureCount) + 8 : 8)
  }

  /// The first `rows` rows.
  consuming func prefix(_ rows: Int) throws(DistsgdError) -> RawExamples {
    guard rows < count else { return self }
    let isInFile = if case .doubles(let values) = features { values.isInFile } else { mapped != nil }
    guard isInFile else { return try selecting(Array(0..<rows)) }
    let all = count
    var result = self
    result.count = rows
    if let mapped = result.mapped { result.mapped!.byteCount = mapped.byteCount / all * rows }
    if case .doubles(let values) = result.features {
      result.features = .doubles(values.prefix(rows * result.featureCount))
    }
    result.targets = result.targets.map { [width = result.targetCount] in Array($0[..<(rows * width)]) }
    result.weights = result.weights.map { Array($0[..<rows]) }
    result.identifiers = result.identifiers.map { Array($0[..<rows]) }
    return result
  }

  /// The rows with these indices, in this order; not of mapped inputs.
  func selecting(_ rows: [Int]) throws(DistsgdError) -> RawExamples {
    var result = self
    result.count = rows.count
    result.targets = targets.map { gather($0, rows, width: targetCount) }
    result.weights = weights.map { gather($0, rows, width: 1) }
    result.identifiers = identifiers.map { all in rows.map { all[$0] } }
    switch features {
    case .doubles(let values):
      result.features = .doubles(try values.rows(rows, width: featureCount, source: source))
    case .floats(let values): result.features = .floats(gather(values, rows, width: featureCount))
    case .bytes(let values): result.features = .bytes(gather(values, rows, width: featureCount))
    }
    return result
  }

  private func gather<T>(_ values: [T], _ rows: [Int], width: Int) -> [T] {
    [T](unsafeUninitializedCapacity: rows.count * width) { buffer, initialized in
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
  let targets = (0..<rows).flatMap { row in choice.targets.map { matrix[row * width + $0].asDouble } }
  var raw = RawExamples(
    source: source, kind: .table, count: rows, featureCount: columns.count, features: wrap(features),
    featureNames: columns.map { names[$0] }, targets: choice.targets.isEmpty ? nil : targets,
    targetNames: choice.targets.map { names[$0] })
  if let weight = choice.weight { raw.weights = (0..<rows).map { matrix[$0 * width + weight].asDouble } }
  if let identifier = choice.identifier {
    raw.identifiers = (0..<rows).map { shortest(matrix[$0 * width + identifier].asDouble) }
    raw.identifierName = names[identifier]
  }
  return raw
}

/// A number as a person writes it: without a fraction where it has none.
func shortest(_ value: Double) -> String {
  value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
}

/// An element type of raw columns.
protocol RawNumber { var asDouble: Double { get } }
extension Double: RawNumber { var asDouble: Double { self } }
extension Float: RawNumber { var asDouble: Double { Double(self) } }
extension UInt8: RawNumber { var asDouble: Double { Double(self) } }
