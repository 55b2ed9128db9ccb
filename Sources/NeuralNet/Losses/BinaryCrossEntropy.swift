import Glibc

/// −log σ(z) for class 1 and −log(1 − σ(z)) for class 0, z the model's one output: logistic regression.
public struct BinaryCrossEntropy: ClassLoss, PlainlyNamed, Equatable {
  public static let names = ["binary-cross-entropy"]

  public init() {}

  public func outputCount(classes: Int?) throws(ShapeError) -> Int {
    guard classes == 2 else {
      throw ShapeError(
        "binary-cross-entropy needs two classes\(classes.map { ", and the data have \($0)" } ?? "")")
    }
    return 1
  }

  public func gradient(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, rows: Int, columns: Int, scale: Float
  ) -> Double {
    let labels = labels(targets)
    var sum = 0.0
    for row in 0..<rows {
      let z = output[row]
      sum += loss(z, labels[row])
      output[row] = scale * (1 / (1 + expf(-z)) - Float(labels[row]))
    }
    return sum
  }

  public func evaluate(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, rows: Int, columns: Int,
    into sums: UnsafeMutablePointer<Double>
  ) {
    let labels = labels(targets)
    var (sum, correct) = (0.0, 0)
    for row in 0..<rows {
      sum += loss(output[row], labels[row])
      if (output[row] > 0) == (labels[row] == 1) { correct += 1 }
    }
    sums[0] = sum
    sums[1] = Double(correct)
  }

  public func probabilities(_ output: UnsafeBufferPointer<Float>) -> [Float] {
    let p = 1 / (1 + expf(-output[0]))
    return [1 - p, p]
  }

  /// log(1 + eᶻ) − z·label, where e^|z| cannot overflow.
  @inline(__always)
  private func loss(_ z: Float, _ label: Int32) -> Double {
    let z = Double(z)
    return (z > 0 ? z : z.isNaN ? z : 0) - (label == 1 ? z : 0) + log1p(exp(-abs(z)))
  }
}
