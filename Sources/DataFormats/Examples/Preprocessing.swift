// How raw columns became a model's inputs and targets: what a saved model needs to take raw new data.

/// A raw column of a file that became inputs.
public struct InputColumn: Sendable, Equatable {
  /// What the column holds, and what became of it.
  public enum Encoding: Sendable, Equatable {
    /// One input: (raw − mean) / deviation.
    case number(mean: Double, deviation: Double)
    /// An input for each of these texts, in this order: 1 for the one that the column has, 0 for the others, so
    /// that a text which is none of them is all zeros.
    case category([String])
  }

  /// What stands in for a value that is missing.
  public enum Fill: Sendable, Equatable {
    /// In the column's own units.
    case number(Double)
    /// One of the column's texts.
    case category(String)
  }

  /// The column's name in the file; empty where columns are known by their place alone.
  public var name: String
  /// What it holds.
  public var encoding: Encoding
  /// What a missing value becomes; nil: it is an error.
  public var missing: Fill?

  /// A column of numbers, if nothing else is said as it is.
  public init(name: String, encoding: Encoding = .number(mean: 0, deviation: 1), missing: Fill? = nil) {
    self.name = name
    self.encoding = encoding
    self.missing = missing
  }

  /// Inputs that the column becomes.
  public var inputCount: Int { if case .category(let values) = encoding { values.count } else { 1 } }
}

/// A raw column of a file that became a target: prediction = output × deviation + mean.
public struct TargetColumn: Sendable, Equatable {
  /// The column's name in the file; empty where it has none.
  public var name: String
  /// In the units of the raw target.
  public var mean: Double
  /// In the units of the raw target.
  public var deviation: Double

  /// A target, if nothing else is said as it is.
  public init(name: String, mean: Double = 0, deviation: Double = 1) {
    self.name = name
    self.mean = mean
    self.deviation = deviation
  }
}

/// How raw columns became a model's inputs and targets. Columns that carry identifiers are no part of it.
///
/// Without standardisation all means are 0 and all deviations 1; inputs that are bytes scaled to [0, 1] have the
/// deviations 255.
public struct Preprocessing: Sendable, Equatable {
  /// The columns that became inputs, in their order: an example's inputs are theirs, one after the other.
  public var columns: [InputColumn]
  /// One for classes, one or more for numbers.
  public var targets: [TargetColumn]
  /// What the file calls the classes, in their order; nil: they are numbers from 0 up.
  public var classNames: [String]?

  /// Any columns.
  public init(columns: [InputColumn], targets: [TargetColumn], classNames: [String]? = nil) {
    self.columns = columns
    self.targets = targets
    self.classNames = classNames
  }

  /// Columns of numbers and one target.
  /// - Parameters:
  ///   - featureNames: one a column, or none where inputs are known by their place.
  ///   - featureMeans: one a column.
  ///   - featureDeviations: one a column.
  public init(
    featureNames: [String], featureMeans: [Double], featureDeviations: [Double], targetName: String,
    targetMean: Double, targetDeviation: Double
  ) {
    columns = zip(featureMeans, featureDeviations).enumerated().map { place, moments in
      InputColumn(
        name: place < featureNames.count ? featureNames[place] : "",
        encoding: .number(mean: moments.0, deviation: moments.1))
    }
    targets = [TargetColumn(name: targetName, mean: targetMean, deviation: targetDeviation)]
  }

  /// Inputs of an example.
  public var inputCount: Int { columns.reduce(0) { $0 + $1.inputCount } }

  /// The columns' names; none where they are known by their place.
  public var featureNames: [String] {
    columns.contains { !$0.name.isEmpty } ? columns.map(\.name) : []
  }

  /// One a column, 0 for one of categories.
  public var featureMeans: [Double] {
    columns.map { if case .number(let mean, _) = $0.encoding { mean } else { 0 } }
  }

  /// One a column, 1 for one of categories.
  public var featureDeviations: [Double] {
    columns.map { if case .number(_, let deviation) = $0.encoding { deviation } else { 1 } }
  }

  /// Of the first target.
  public var targetName: String { targets.first?.name ?? "" }
  /// Of the first target.
  public var targetMean: Double { targets.first?.mean ?? 0 }
  /// Of the first target.
  public var targetDeviation: Double { targets.first?.deviation ?? 1 }

  /// Whether every column is one of numbers.
  public var isNumeric: Bool {
    columns.allSatisfy { if case .number = $0.encoding { true } else { false } }
  }

  /// A class as the file calls it.
  public func className(_ number: Int) -> String {
    if let classNames, classNames.indices.contains(number) { classNames[number] } else { "\(number)" }
  }
}
