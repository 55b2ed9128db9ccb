// How good predictions are, told otherwise than by the loss: one file a family of measures, found by `Catalog.measures`.

/// What predictions are compared with.
public struct MeasuredTask: Sendable, Equatable {
  /// nil for numbers.
  public var classCount: Int?
  /// For each target that is a number, how much of its own unit a unit of the model's output is.
  public var deviations: [Double]
  /// Whether the mean loss is the mean of −log p of the right class.
  public var lossIsLogLoss: Bool

  /// A task as a model's file tells it.
  public init(classCount: Int?, deviations: [Double] = [1], lossIsLogLoss: Bool = false) {
    self.classCount = classCount
    self.deviations = deviations
    self.lossIsLogLoss = lossIsLogLoss
  }
}

/// Some rows of predictions, beside what would be right.
public struct MeasuredRows {
  /// Rows.
  public let count: Int
  /// Shape (count, classes); of numbers the model's outputs, shape (count, targets).
  public let predictions: UnsafePointer<Float>
  /// Shape (count): the class that is predicted; without meaning for numbers.
  public let classes: UnsafePointer<Int32>
  /// The targets, in the units of the outputs.
  public let targets: TargetBuffer
  /// How much each row counts.
  public let weights: MeasureWeights

  /// Rows that somebody else has predicted.
  public init(
    count: Int, predictions: UnsafePointer<Float>, classes: UnsafePointer<Int32>, targets: TargetBuffer,
    weights: MeasureWeights
  ) {
    self.weights = weights
    self.count = count
    self.predictions = predictions
    self.classes = classes
    self.targets = targets
  }
}

/// What a family has kept of all rows, of all ranks.
public struct MeasureTotals {
  /// Rows.
  public let examples: Int
  /// The mean loss.
  public let loss: Double
  /// Shape (counts)
  public let counts: [Int]
  /// Shape (sums)
  public let sums: [Double]
  /// Shape (examples) where the family keeps scores, else empty.
  public let scores: [Float]
  /// Of all rows, in the data's order.
  public let targets: TargetBuffer
  /// Of all rows, in the data's order.
  public let weights: MeasureWeights

  /// Totals that somebody else has added up.
  public init(
    examples: Int, loss: Double, counts: [Int], sums: [Double], scores: [Float], targets: TargetBuffer,
    weights: MeasureWeights
  ) {
    self.weights = weights
    self.examples = examples
    self.loss = loss
    self.counts = counts
    self.sums = sums
    self.scores = scores
    self.targets = targets
  }
}

/// What is told of a data set.
public enum MeasureResult: Sendable, Equatable {
  /// One number.
  case value(String, Double)
  /// A number for each class.
  case ofClasses(String, [Double])
  /// A number for each target.
  case ofTargets(String, [Double])
  /// Row-major, a row for each class that is right, a column for each that is predicted.
  case matrix(String, [Double])
}

/// Measures that come from the same sums over rows. What is kept may be added in any grouping of rows: whole numbers in
/// any order, sums chunk by chunk in the data's order, scores row by row. So the result has the same bits on any number
/// of ranks.
public protocol MeasureFamily: Sendable {
  /// The names of the single numbers it may tell, as files have them, and as people read them.
  static var labels: [String: String] { get }
  /// nil where it has nothing to say of such a task.
  init?(_ task: MeasuredTask)

  /// How many whole numbers it counts, in units of weight.
  var counts: Int { get }
  /// How many numbers it adds up.
  var sums: Int { get }
  /// Whether it keeps a number of every row.
  var keepsScores: Bool { get }
  /// Adds some rows.
  /// - Parameters:
  ///   - counts: shape (counts), added to.
  ///   - sums: shape (sums), added to.
  ///   - scores: shape (rows.count), written.
  func add(
    _ rows: MeasuredRows, counts: UnsafeMutablePointer<Int>, sums: UnsafeMutablePointer<Double>,
    scores: UnsafeMutablePointer<Float>)
  /// What all rows amount to; what has no meaning for them (a division by 0) is left out.
  func results(_ totals: MeasureTotals) -> [MeasureResult]
}

extension MeasureFamily {
  public var counts: Int { 0 }
  public var sums: Int { 0 }
  public var keepsScores: Bool { false }
}
