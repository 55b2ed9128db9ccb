// What a reader hands over: examples in this process's memory, before the ranks of a server share them.
import System
import Text

/// A set of examples: `count` rows of `featureCount` inputs, and one target each, or several numbers.
public struct Examples: Sendable {
  /// Inputs, row-major, shape (count, featureCount).
  public enum Features: Sendable {
    /// Numbers as they are.
    case float32([Float])
    /// Bytes as in image files; the input is `scale` times the byte.
    case uint8([UInt8], scale: Float)
  }

  /// What is to be predicted.
  public enum Targets: Sendable {
    /// Numbers, for regression; shape (count, targetCount).
    case values([Float])
    /// Class numbers in 0 ..< classCount; shape (count).
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
  /// Where the inputs are, if they are not in memory: `features` says of which kind they are, and is empty.
  package var mapped: MappedFeatures?
  /// Class numbers, or `targetCount` numbers an example.
  public var targets: Targets
  /// Numbers that are predicted of one example; 1 for classes.
  public var targetCount: Int
  /// How much each example counts, shape (count); nil: all the same.
  public var weights: [Float]?

  /// - Parameters:
  ///   - exampleShape: `[featureCount]` if it is not said.
  ///   - weights: 1 each if they are not said.
  public init(
    count: Int, featureCount: Int, exampleShape: [Int]? = nil, features: Features, targets: Targets,
    targetCount: Int = 1, weights: [Float]? = nil
  ) {
    self.count = count
    self.featureCount = featureCount
    self.exampleShape = exampleShape ?? [featureCount]
    self.features = features
    self.targets = targets
    self.targetCount = targetCount
    self.weights = weights
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
      "there are \(counted(count, "example")) of \(counted(featureCount, "input")): give one at least")
    try require(
      exampleShape.allSatisfy { $0 > 0 } && exampleShape.reduce(1, *) == featureCount,
      "an example of the shape \(exampleShape) has not \(counted(featureCount, "input"))")
    let inputs =
      switch features {
      case .float32(let values): mapped.map { $0.byteCount / 4 } ?? values.count
      case .uint8(let bytes, _): mapped?.byteCount ?? bytes.count
      }
    try require(
      inputs == count * featureCount,
      "\(counted(inputs, "number")) \(inputs == 1 ? "is" : "are") not \(counted(count, "example")) of \(counted(featureCount, "input")): \(count * featureCount) would be right"
    )
    switch targets {
    case .values(let values):
      try require(
        targetCount > 0 && values.count == count * targetCount,
        targetCount == 1
          ? "\(counted(values.count, "target")) for \(counted(count, "example")): give one for each"
          : "\(counted(values.count, "target")) for \(counted(count, "example")): give \(targetCount) for each"
      )
    case .labels(let labels, let classCount):
      try require(targetCount == 1, "\(targetCount) targets of classes: give one")
      try require(
        labels.count == count,
        "\(counted(labels.count, "label")) for \(counted(count, "example")): give one for each")
      try require(
        1...maximumClassCount ~= classCount, "\(counted(classCount, "class")): give 1 to \(maximumClassCount)"
      )
      if let row = labels.firstIndex(where: { $0 < 0 || $0 >= classCount }) {
        try require(
          false,
          "label \(labels[row]) of example \(row + 1): \(classCount == 1 ? "the only class has the number 0" : "\(classCount) classes are numbered 0 to \(classCount - 1)")"
        )
      }
    }
    if let weights {
      try require(
        weights.count == count,
        "\(counted(weights.count, "weight")) for \(counted(count, "example")): give one for each")
      if let row = weights.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
        try require(false, "weight \(weights[row]) of example \(row + 1): give numbers from 0 up")
      }
      try require(
        weights.contains { $0 > 0 }, "all \(count) weights are 0: give some example a weight above 0")
    }
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
  /// Lines for the user about what was assumed.
  package var notes: [String]

  package init(
    summary: String, training: Examples, validation: Examples?, preprocessing: Preprocessing,
    defaultModel: DefaultModel, notes: [String] = []
  ) {
    self.summary = summary
    self.training = training
    self.validation = validation
    self.preprocessing = preprocessing
    self.defaultModel = defaultModel
    self.notes = notes
  }
}

extension LoadedData {
  /// Examples as they are to be trained on: inputs of about unit size, values as targets of about unit size too.
  /// - Parameter validation: what `TrainingRun` evaluates on; nil is the training set.
  public init(_ training: Examples, validation: Examples? = nil) {
    let isClassification = if case .labels = training.targets { true } else { false }
    let width = max(0, training.featureCount)
    self.init(
      summary: "\(counted(training.count, "example")) of the program's own, \(counted(width, "input"))",
      training: training,
      validation: validation,
      preprocessing: Preprocessing(
        columns: [InputColumn](repeating: InputColumn(name: ""), count: width),
        targets: [TargetColumn](repeating: TargetColumn(name: ""), count: max(1, training.targetCount))),
      defaultModel: isClassification ? .softmax : .linear)
  }
}
