import Glibc

/// −log σ(z) for class 1 and −log(1 − σ(z)) for class 0, z the model's one output: logistic regression.
public struct BinaryCrossEntropy: ClassLoss, PlainlyNamed, Equatable {
  public static let names = ["binary-cross-entropy"]

  /// nil: the mathematics library.
  private(set) var instructions: Instructions?

  public init() {}

  public func computed(by arithmetic: Arithmetic) -> BinaryCrossEntropy {
    var loss = self
    loss.instructions = arithmetic.instructions
    return loss
  }

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
    if let instructions {
      return instructions.kernels.pointee.binary_cross_entropy(output, labels, rows, scale)
    }
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
      if instructions == nil { sum += loss(output[row], labels[row]) }
      if (output[row] > 0) == (labels[row] == 1) { correct += 1 }
    }
    if let instructions { sum = instructions.kernels.pointee.binary_cross_entropy(output, labels, rows, 1) }
    sums[0] = sum
    sums[1] = Double(correct)
  }

  public func probabilities(_ output: UnsafeBufferPointer<Float>) -> [Float] {
    var p = output[0]
    if let instructions {
      let z = p
      withUnsafePointer(to: z) { instructions.kernels.pointee.logistic(&p, $0, 1) }
    } else {
      p = 1 / (1 + expf(-p))
    }
    return [1 - p, p]
  }

  public func predictedClass(_ output: UnsafeBufferPointer<Float>) -> Int { output[0] > 0 ? 1 : 0 }

  public var isLogLoss: Bool { true }

  /// log(1 + eᶻ) − z·label, where e^|z| cannot overflow.
  @inline(__always)
  private func loss(_ z: Float, _ label: Int32) -> Double {
    let z = Double(z)
    return (z > 0 ? z : z.isNaN ? z : 0) - (label == 1 ? z : 0) + log1p(exp(-abs(z)))
  }
}
