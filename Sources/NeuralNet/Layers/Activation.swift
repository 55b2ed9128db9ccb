// Bias and activation in one pass over a layer's output, and their gradients in one pass backwards.
import CKernels
import Glibc

extension Activation {
  /// y[i, j] = f(y[i, j] + bias[j]), y of shape (rows, columns).
  static func addBiasAndApply(
    _ activation: Activation?, to y: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>, rows: Int,
    columns: Int
  ) {
    switch activation {
    case nil: ckernels_add_bias(y, bias, rows, columns)
    case .relu: ckernels_add_bias_relu(y, bias, rows, columns)
    case .sigmoid: addBias(to: y, bias, rows, columns) { 1 / (1 + expf(-$0)) }
    case .tanh: addBias(to: y, bias, rows, columns) { tanhf($0) }
    }
  }

  @inline(__always)
  private static func addBias(
    to y: UnsafeMutablePointer<Float>, _ bias: UnsafePointer<Float>, _ rows: Int, _ columns: Int,
    apply: (Float) -> Float
  ) {
    for row in 0..<rows {
      let y = y + row * columns
      for j in 0..<columns { y[j] = apply(y[j] + bias[j]) }
    }
  }

  /// dy[i, j] *= f′, from the layer's output y; both of shape (rows, columns).
  static func multiplyByDerivative(
    of activation: Activation, _ dy: UnsafeMutablePointer<Float>, output y: UnsafePointer<Float>, count: Int
  ) {
    switch activation {
    case .relu: ckernels_relu_gradient(dy, y, count)
    case .sigmoid: for i in 0..<count { dy[i] *= y[i] * (1 - y[i]) }
    case .tanh: for i in 0..<count { dy[i] *= 1 - y[i] * y[i] }
    }
  }
}
