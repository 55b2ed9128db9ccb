// What a reader hands over: examples in this process's memory, before the ranks of a server share them.
import System

/// A set of examples: `count` rows of `featureCount` inputs, and one target each.
public struct Examples: Sendable {
  /// Inputs, row-major, shape (count, featureCount).
  public enum Features: Sendable {
    /// Numbers as they are.
    case float32([Float])
    /// Bytes as in image files; the input is `scale` times the byte.
    case uint8([UInt8], scale: Float)
  }

  /// Targets, shape (count).
  public enum Targets: Sendable {
    /// Numbers, for regression.
    case values([Float])
    /// Class numbers in 0 ..< classCount.
    case labels([Int32], classCount: Int)
  }

  /// Rows; 1 at least.
  public var count: Int
  /// Inputs of one example; 1 at least.
  public var featureCount: Int
  /// Of one example's inputs: `[featureCount]`, or `[channels, height, width]`.
  public var exampleShape: [Int]
  /// The inputs, shape (count, featureCount).
  public var features: Features
  /// One an example, shape (count).
  public var targets: Targets

  /// - Parameter exampleShape: `[featureCount]` if it is not said.
  public init(
    count: Int, featureCount: Int, exampleShape: [Int]? = nil, features: Features, targets: Targets
  ) {
    self.count = count
    self.featureCount = featureCount
    self.exampleShape = exampleShape ?? [featureCount]
    self.features = features
    self.targets = targets
  }
}

extension Examples {
  /// - Throws: `DistsgdError` (`badData`) that says which number contradicts which.
  package func requireConsistency() throws(DistsgdError) {
    func require(_ condition: Bool, _ text: @autoclosure () -> String) throws(DistsgdError) {
      if !condition { throw DistsgdError(.badData, text()) }
    }
    try require(
      count > 0 && featureCount > 0,
      "there are \(count) examples of \(featureCount) inputs: give one at least")
    try require(
      exampleShape.allSatisfy { $0 > 0 } && exampleShape.reduce(1, *) == featureCount,
      "an example of the shape \(exampleShape) has not \(featureCount) inputs")
    let inputs =
      switch features {
      case .float32(let values): values.count
      case .uint8(let bytes, _): bytes.count
      }
    try require(
      inputs == count * featureCount,
      "\(inputs) numbers are not \(count) examples of \(featureCount) inputs: \(count * featureCount) would be right"
    )
    switch targets {
    case .values(let values):
      try require(values.count == count, "\(values.count) targets are not one for each of \(count) examples")
    case .labels(let labels, let classCount):
      try require(labels.count == count, "\(labels.count) labels are not one for each of \(count) examples")
      try require(
        1...maximumClassCount ~= classCount, "\(classCount) classes: give 1 to \(maximumClassCount)")
      if let row = labels.firstIndex(where: { $0 < 0 || $0 >= classCount }) {
        try require(
          false,
          "label \(labels[row]) of example \(row + 1): \(classCount) classes are numbered 0 to \(classCount - 1)"
        )
      }
    }
  }
}

/// How raw columns became a model's inputs and target: what a saved model needs to take raw new data.
///
/// input = (raw − mean) / deviation, per feature; prediction = output × targetDeviation + targetMean.
/// Without standardisation all means are 0 and all deviations 1; inputs that are bytes scaled to [0, 1] have the
/// deviations 255. No names means that the inputs are known by their position alone.
public struct Preprocessing: Sendable, Equatable {
  /// The columns of the file that became inputs, in their order.
  public var featureNames: [String]
  /// Shape (inputs).
  public var featureMeans: [Double]
  /// Shape (inputs), in the units of the raw columns.
  public var featureDeviations: [Double]
  /// The column that became the target.
  public var targetName: String
  /// In the units of the raw target.
  public var targetMean: Double
  /// In the units of the raw target.
  public var targetDeviation: Double

  /// All arrays have one element an input, or none.
  public init(
    featureNames: [String], featureMeans: [Double], featureDeviations: [Double], targetName: String,
    targetMean: Double, targetDeviation: Double
  ) {
    self.featureNames = featureNames
    self.featureMeans = featureMeans
    self.featureDeviations = featureDeviations
    self.targetName = targetName
    self.targetMean = targetMean
    self.targetDeviation = targetDeviation
  }
}

/// What `--model` is when the user names none.
package enum DefaultModel: String, Sendable {
  case linear = "linear"
  case softmax = "softmax"
  case mlp = "mlp:256,128"
}

/// A data set as loaded: training examples, validation examples where asked for, and where it came from.
public struct LoadedData: Sendable {
  /// One line for the user: which set, from where, how many rows and columns.
  public var summary: String
  /// What is trained on.
  public var training: Examples
  /// What the run evaluates on; nil is the training set.
  public var validation: Examples?
  /// How raw columns became the inputs; model files keep it, and `predict` applies it to new data.
  public var preprocessing: Preprocessing
  package var defaultModel: DefaultModel

  package init(
    summary: String, training: Examples, validation: Examples?, preprocessing: Preprocessing,
    defaultModel: DefaultModel
  ) {
    self.summary = summary
    self.training = training
    self.validation = validation
    self.preprocessing = preprocessing
    self.defaultModel = defaultModel
  }
}

extension LoadedData {
  /// Examples as they are to be trained on: inputs of about unit size, values as targets of about unit size too.
  /// - Parameter validation: what `TrainingRun` evaluates on; nil is the training set.
  public init(_ training: Examples, validation: Examples? = nil) {
    let isClassification = if case .labels = training.targets { true } else { false }
    let width = max(0, training.featureCount)
    self.init(
      summary: "\(training.count) examples of the program's own, \(width) inputs", training: training,
      validation: validation,
      preprocessing: Preprocessing(
        featureNames: [], featureMeans: [Double](repeating: 0, count: width),
        featureDeviations: [Double](repeating: 1, count: width), targetName: "", targetMean: 0,
        targetDeviation: 1),
      defaultModel: isClassification ? .softmax : .linear)
  }
}

/// What the command line says about data; `nil` means the data set's own default.
public struct DataOptions: Sendable {
  /// What the target column holds.
  public enum Task: String, Sendable { case regression, classification }

  /// A data set's name, or a path, or two paths with a comma between (inputs, targets).
  public var data = "airfoil-like"
  /// The column with the target: its name, or its number from 1; a table's last one if nil.
  public var target: String?
  /// The columns with the inputs; all others if nil.
  public var features: [String]?
  /// At most this many examples, taken from the front.
  public var examples: Int?
  /// A fraction such as `0.2`, a path, or `test`.
  public var validation: String?
  /// Whether inputs, and a regression's target, become of mean 0 and deviation 1.
  public var standardize: Bool?
  /// Regression or classification; what the target looks like if nil.
  public var task: Task?
  /// Of a set that is drawn, and of the examples that are held out.
  public var seed: UInt64 = 0
  /// Makes examples of the program's own, which `data` then is the name of; nil for those that `data` names.
  var own: (@Sendable () throws(DistsgdError) -> LoadedData)?

  /// The default data set with its own defaults.
  public init() {}

  /// Examples of the program's own.
  /// - Parameters:
  ///   - name: by which the run's files speak of them.
  ///   - make: called on the first rank of each server alone; gives the same on all of them.
  public init(named name: String, _ make: @escaping @Sendable () throws -> LoadedData) {
    data = name
    own = { () throws(DistsgdError) in
      do { return try make() } catch {
        throw error as? DistsgdError ?? DistsgdError(.badData, "\(name): \(error)")
      }
    }
  }
}
