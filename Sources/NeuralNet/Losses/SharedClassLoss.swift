// Losses whose target may be shares of several classes: smoothed labels, mixed examples, classes with weights.
import CKernels
import Glibc
import RandomNumbers

/// A loss of classes that is linear in the target: Σ tₖ·lₖ, where lₖ is the loss if class k were the label.
package protocol SharedClassLoss: ClassLoss {
  /// The sum over the rows; `output`, of shape (rows, columns), becomes the gradient of `scale` times that sum.
  /// - Parameter shares: t, shape (rows, classes); they need not add up to 1.
  func gradient(
    _ output: UnsafeMutablePointer<Float>, shares: UnsafePointer<Float>, classes: Int, rows: Int,
    columns: Int,
    scale: Float
  ) -> Double
}

extension CrossEntropy: SharedClassLoss {
  package func gradient(
    _ output: UnsafeMutablePointer<Float>, shares: UnsafePointer<Float>, classes: Int, rows: Int,
    columns: Int,
    scale: Float
  ) -> Double {
    var sum = 0.0
    for row in 0..<rows {
      let z = output + row * columns
      let t = shares + row * columns
      var whole: Float = 0
      for j in 0..<columns { whole += t[j] }
      // What does not count adds nothing, whatever its loss is.
      guard whole != 0 else {
        for j in 0..<columns { z[j] = 0 }
        continue
      }
      var largest = z[0]
      for j in 1..<max(columns, 1) where z[j] > largest { largest = z[j] }
      var atLabels = 0.0
      for j in 0..<columns {
        z[j] -= largest
        if t[j] != 0 { atLabels += Double(t[j]) * Double(z[j]) }
      }
      if let instructions {
        instructions.kernels.pointee.exponential(z, z, columns)
      } else {
        for j in 0..<columns { z[j] = expf(z[j]) }
      }
      var total: Float = 0
      for j in 0..<columns { total += z[j] }
      let height = instructions == nil ? log(Double(total)) : logarithm(Double(total))
      sum += Double(whole) * height - atLabels
      let factor = whole / total
      for j in 0..<columns { z[j] = scale * (z[j] * factor - t[j]) }
    }
    return sum
  }
}

extension BinaryCrossEntropy: SharedClassLoss {
  package func gradient(
    _ output: UnsafeMutablePointer<Float>, shares: UnsafePointer<Float>, classes: Int, rows: Int,
    columns: Int,
    scale: Float
  ) -> Double {
    var sum = 0.0
    for row in 0..<rows {
      let (t0, t1, z) = (shares[2 * row], shares[2 * row + 1], output[row])
      guard t0 + t1 != 0 else {
        output[row] = 0
        continue
      }
      // Of log(1 + eᶻ), which e^|z| cannot let overflow.
      let (tail, p) = tailAndLogistic(z)
      let positive = Double(z > 0 || z.isNaN ? z : 0)
      sum += Double(t0 + t1) * (positive + tail) - Double(t1) * Double(z)
      output[row] = scale * ((t0 + t1) * p - t1)
    }
    return sum
  }

  /// log(1 + e^−|z|) and σ(z).
  private func tailAndLogistic(_ z: Float) -> (Double, Float) {
    guard let instructions else { return (log1p(exp(-abs(Double(z)))), 1 / (1 + expf(-z))) }
    let kernels = instructions.kernels
    func value(_ function: ckernels_function, _ x: Float) -> Float {
      var y = x
      withUnsafePointer(to: x) { function(&y, $0, 1) }
      return y
    }
    let power = value(kernels.pointee.exponential, -abs(z))
    return (
      Double(value(kernels.pointee.logarithm_of_one_plus, power)), value(kernels.pointee.logistic, z)
    )
  }
}
