// What a loss is: its sum over some examples, the gradient at the model's output, and what else it tells.

/// What a loss compares a model's output with.
public enum TargetKind: Sendable, Equatable {
  /// Numbers.
  case values
  /// Class numbers from 0 up.
  case classes
}

/// The targets of a batch; shape (rows), of several numbers an example (rows, targets).
public enum TargetBuffer {
  /// Numbers.
  case values(UnsafePointer<Float>)
  /// Class numbers, from 0 to below the number of classes.
  case labels(UnsafePointer<Int32>)

  /// Those from the number `row` on: where there is one an example, those of the rows from `row` on.
  @inline(__always)
  public func dropFirst(_ row: Int) -> TargetBuffer {
    switch self {
    case .values(let values): .values(values + row)
    case .labels(let labels): .labels(labels + row)
    }
  }
}

extension TargetBuffer {
  /// The targets of a loss of numbers, shape (rows). The data were checked when the run was made.
  public var numbers: UnsafePointer<Float> { NeuralNet.values(self) }
  /// The targets of a loss of classes, shape (rows): from 0 to below the number of classes.
  public var classNumbers: UnsafePointer<Int32> { NeuralNet.labels(self) }
}

/// A loss, reported as a mean over examples.
public protocol Loss: Named {
  /// What the data must have as targets.
  var targets: TargetKind { get }
  /// Outputs that a model must have.
  /// - Parameter classes: of the data; nil where the targets are numbers.
  /// - Throws: `ShapeError` where it cannot be used with so many classes.
  func outputCount(classes: Int?) throws(ShapeError) -> Int
  /// Whether an example may have several numbers as targets, one for each of the model's outputs. Its loss is then the
  /// sum of theirs.
  var takesSeveralTargets: Bool { get }

  /// The sum of the loss over the rows; `output`, of shape (rows, columns), becomes the gradient of `scale` times that
  /// sum. With `scale` = 1 / examples in the global batch, gradients of any pieces of the batch add up to that of the
  /// mean. What is not finite must stay so: that is how a diverged run is noticed.
  func gradient(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, rows: Int, columns: Int, scale: Float
  ) -> Double

  /// `gradient` for pieces of the rows, each by itself: `losses[i]` becomes `scale` times the sum of piece i.
  /// - Parameter pieces: the row at which each piece starts, and the end of the last.
  func gradient(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, pieces: UnsafeBufferPointer<Int>,
    columns: Int,
    scale: Float, into losses: UnsafeMutablePointer<Float>)

  /// What `evaluate` tells beside the loss: `["accuracy"]`.
  var measures: [String] { get }
  /// The sums over the rows of the loss, and of each measure behind it; `output` may be overwritten.
  /// - Parameter sums: shape (1 + measures.count), which is overwritten.
  func evaluate(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, rows: Int, columns: Int,
    into sums: UnsafeMutablePointer<Double>)

  /// The same loss by another arithmetic's functions.
  func computed(by arithmetic: Arithmetic) -> Self

  /// The probabilities of the classes that one row of output means; nothing for a loss of numbers.
  /// - Parameter output: shape (columns)
  func probabilities(_ output: UnsafeBufferPointer<Float>) -> [Float]
  /// The class that one row of output means; 0 for a loss of numbers.
  /// - Parameter output: shape (columns)
  func predictedClass(_ output: UnsafeBufferPointer<Float>) -> Int
  /// Whether the loss of an example is −log p of its class.
  var isLogLoss: Bool { get }
  /// What its mean is, for people: `½ MSE`.
  var meaning: String { get }
}

extension Loss {
  public func gradient(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, pieces: UnsafeBufferPointer<Int>,
    columns: Int,
    scale: Float, into losses: UnsafeMutablePointer<Float>
  ) {
    for piece in 0..<pieces.count - 1 {
      let row = pieces[piece]
      let sum = gradient(
        output + row * columns, targets.dropFirst(takesSeveralTargets ? row * columns : row),
        rows: pieces[piece + 1] - row, columns: columns,
        scale: scale)
      losses[piece] = Float(sum) * scale
    }
  }

  public var takesSeveralTargets: Bool { false }

  /// Outputs that a model must have.
  /// - Parameter targets: numbers that are predicted of one example.
  /// - Throws: `ShapeError` where it cannot be used with so many.
  package func outputCount(classes: Int?, targets: Int) throws(ShapeError) -> Int {
    if targets == 1 { return try outputCount(classes: classes) }
    guard takesSeveralTargets else {
      throw ShapeError(
        "it takes one target, and the data have \(targets): name one by --target, or use squared")
    }
    return targets
  }

  public var measures: [String] { [] }

  public func evaluate(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, rows: Int, columns: Int,
    into sums: UnsafeMutablePointer<Double>
  ) { sums[0] = gradient(output, targets, rows: rows, columns: columns, scale: 1) }

  public func computed(by arithmetic: Arithmetic) -> Self { self }

  public func probabilities(_ output: UnsafeBufferPointer<Float>) -> [Float] { [] }

  /// The most probable one, of equals the first.
  public func predictedClass(_ output: UnsafeBufferPointer<Float>) -> Int {
    let p = probabilities(output)
    return p.indices.max { p[$0] < p[$1] || (p[$0] == p[$1] && $0 > $1) } ?? 0
  }

  public var isLogLoss: Bool { false }

  public var meaning: String { description }
}

/// A loss of one number an example.
public protocol ValueLoss: Loss {}

extension ValueLoss {
  public var targets: TargetKind { .values }
  public func outputCount(classes: Int?) -> Int { 1 }
}

/// A loss of class numbers, which also tells the fraction of examples that are classified right.
public protocol ClassLoss: Loss {}

extension ClassLoss {
  public var targets: TargetKind { .classes }
  public var measures: [String] { ["accuracy"] }
}

/// The targets of a loss of numbers. The data were checked when the run was made: other targets are a programmer's error.
@inline(__always)
func values(_ targets: TargetBuffer) -> UnsafePointer<Float> {
  guard case .values(let values) = targets else { preconditionFailure("the loss takes numbers") }
  return values
}

@inline(__always)
func labels(_ targets: TargetBuffer) -> UnsafePointer<Int32> {
  guard case .labels(let labels) = targets else { preconditionFailure("the loss takes class numbers") }
  return labels
}
