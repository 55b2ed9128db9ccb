// The two losses: their sum over some examples, and the gradient at the model's output.
import CKernels
import Glibc

/// A loss, as a mean over examples.
public enum Loss: String, Sendable, CaseIterable {
  /// ½(ŷ − y)², as in the chapter.
  case squared
  /// Softmax cross-entropy against a class number.
  case crossEntropy = "cross-entropy"
}

/// The targets of a batch; shape (rows).
public enum TargetBuffer {
  case values(UnsafePointer<Float>)
  case labels(UnsafePointer<Int32>)

  /// Those of the rows from `row` on.
  @inline(__always)
  public func dropFirst(_ row: Int) -> TargetBuffer {
    switch self {
    case .values(let values): .values(values + row)
    case .labels(let labels): .labels(labels + row)
    }
  }
}

extension Loss {
  /// The sum of the loss over the rows; `output`, of shape (rows, columns), becomes the gradient of
  /// `scale` times that sum. With `scale` = 1 / examples in the global batch, gradients of any pieces
  /// of the batch add up to that of the mean.
  @inline(__always)
  public func gradient(
    output: UnsafeMutablePointer<Float>, targets: TargetBuffer, rows: Int, columns: Int, scale: Float
  ) -> Double {
    var sum = 0.0
    switch (self, targets) {
    case (.squared, .values(let y)):
      precondition(columns == 1, "the squared loss takes one output")
      sum = ckernels_squared_loss(output, y, scale, rows)
    case (.crossEntropy, .labels(let labels)):
      for row in 0..<rows {
        let z = output + row * columns
        let label = Int(labels[row])
        let (total, loss) = Self.exponentiate(z, columns: columns, label: label)
        sum += loss
        let factor = scale / total
        for j in 0..<columns { z[j] *= factor }
        z[label] -= scale
      }
    default: preconditionFailure("\(self) does not take these targets")
    }
    return sum
  }

  /// The sum of the loss over the rows, and how many were classified right (0 for the squared loss).
  /// `output` is overwritten.
  public func evaluate(
    output: UnsafeMutablePointer<Float>, targets: TargetBuffer, rows: Int, columns: Int
  ) -> (loss: Double, correct: Int) {
    var sum = 0.0
    var correct = 0
    switch (self, targets) {
    case (.squared, .values):
      sum = gradient(output: output, targets: targets, rows: rows, columns: columns, scale: 1)
    case (.crossEntropy, .labels(let labels)):
      for row in 0..<rows {
        let z = output + row * columns
        let label = Int(labels[row])
        if Self.largestIndex(z, columns) == label { correct += 1 }
        sum += Self.exponentiate(z, columns: columns, label: label).loss
      }
    default: preconditionFailure("\(self) does not take these targets")
    }
    return (sum, correct)
  }

  /// The class of the largest output; the first of equals.
  public static func largestIndex(_ z: UnsafePointer<Float>, _ columns: Int) -> Int {
    var best = 0
    for j in 1..<max(columns, 1) where z[j] > z[best] { best = j }
    return best
  }

  /// The probabilities of the classes, in place; z has shape (columns).
  public static func softmax(_ z: UnsafeMutablePointer<Float>, _ columns: Int) {
    let (total, _) = exponentiate(z, columns: columns, label: 0)
    for j in 0..<columns { z[j] /= total }
  }

  /// z becomes exp(z − max z), which cannot overflow; returns its sum and −log softmax(z)[label].
  @inline(__always)
  private static func exponentiate(
    _ z: UnsafeMutablePointer<Float>, columns: Int, label: Int
  ) -> (total: Float, loss: Double) {
    var largest = z[0]
    for j in 1..<max(columns, 1) where z[j] > largest { largest = z[j] }
    let atLabel = z[label] - largest
    var total: Float = 0
    for j in 0..<columns {
      z[j] = expf(z[j] - largest)
      total += z[j]
    }
    return (total, log(Double(total)) - Double(atLabel))
  }
}
