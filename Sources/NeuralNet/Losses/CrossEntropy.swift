import Glibc

/// Softmax cross-entropy against a class number: −log softmax(z)[label].
public struct CrossEntropy: ClassLoss, PlainlyNamed, Equatable {
  public static let names = ["cross-entropy"]

  /// nil: the mathematics library.
  private(set) var instructions: Instructions?

  public init() {}

  public func computed(by arithmetic: Arithmetic) -> CrossEntropy {
    var loss = self
    loss.instructions = arithmetic.instructions
    return loss
  }

  public func outputCount(classes: Int?) throws(ShapeError) -> Int {
    guard let classes else { throw ShapeError("cross-entropy needs classes") }
    return classes
  }

  public func gradient(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, rows: Int, columns: Int, scale: Float
  ) -> Double {
    let labels = labels(targets)
    if let instructions {
      return instructions.kernels.pointee.cross_entropy(output, labels, rows, columns, scale)
    }
    var sum = 0.0
    for row in 0..<rows {
      let z = output + row * columns
      let label = Int(labels[row])
      let (total, loss) = Self.exponentiate(z, columns: columns, label: label)
      sum += loss
      let factor = scale / total
      for j in 0..<columns { z[j] *= factor }
      z[label] -= scale
    }
    return sum
  }

  public func evaluate(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, rows: Int, columns: Int,
    into sums: UnsafeMutablePointer<Double>
  ) {
    let labels = labels(targets)
    var (loss, correct) = (0.0, 0)
    for row in 0..<rows {
      let z = output + row * columns
      let label = Int(labels[row])
      if Self.largestIndex(z, columns) == label { correct += 1 }
      if instructions == nil { loss += Self.exponentiate(z, columns: columns, label: label).loss }
    }
    if let instructions {
      loss = instructions.kernels.pointee.cross_entropy(output, labels, rows, columns, 1)
    }
    sums[0] = loss
    sums[1] = Double(correct)
  }

  public func probabilities(_ output: UnsafeBufferPointer<Float>) -> [Float] {
    var z = Array(output)
    guard !z.isEmpty else { return z }
    if let instructions {
      let largest = z[Self.largestIndex(z, z.count)]
      for j in z.indices { z[j] -= largest }
      let exponents = z
      instructions.kernels.pointee.exponential(&z, exponents, z.count)
      let total = z.reduce(0, +)
      return z.map { $0 / total }
    }
    let (total, _) = Self.exponentiate(&z, columns: z.count, label: 0)
    for j in z.indices { z[j] /= total }
    return z
  }

  public func predictedClass(_ output: UnsafeBufferPointer<Float>) -> Int {
    output.baseAddress.map { Self.largestIndex($0, output.count) } ?? 0
  }

  public var isLogLoss: Bool { true }

  /// The class of the largest output; the first of equals.
  static func largestIndex(_ z: UnsafePointer<Float>, _ columns: Int) -> Int {
    var best = 0
    for j in 1..<max(columns, 1) where z[j] > z[best] { best = j }
    return best
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

extension Loss where Self == CrossEntropy {
  /// `loss: .crossEntropy`
  public static var crossEntropy: CrossEntropy { CrossEntropy() }
}
