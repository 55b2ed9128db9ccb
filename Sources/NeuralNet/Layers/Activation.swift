// Bias and activation in one pass over a layer's output, and their gradients in one pass backwards.
import Glibc

extension Activation {
  /// y[i, j] = f(y[i, j] + bias[j]), y of shape (rows, columns).
  static func addBiasAndApply(
    _ activation: Activation?, to y: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>, rows: Int,
    columns: Int
  ) {
    if columns == 1, activation == nil {
      let bias = bias[0]
      for row in 0..<rows { y[row] += bias }
      return
    }
    for row in 0..<rows {
      let y = y + row * columns
      switch activation {
      case nil: for j in 0..<columns { y[j] += bias[j] }
      case .relu:
        for j in 0..<columns {
          let sum = y[j] + bias[j]
          y[j] = sum < 0 ? 0 : sum  // a NaN stays one: it must not hide behind the activation
        }
      case .sigmoid: for j in 0..<columns { y[j] = 1 / (1 + expf(-(y[j] + bias[j]))) }
      case .tanh: for j in 0..<columns { y[j] = tanhf(y[j] + bias[j]) }
      }
    }
  }

  /// dy[i, j] *= f′, from the layer's output y; both of shape (rows, columns).
  static func multiplyByDerivative(
    of activation: Activation, _ dy: UnsafeMutablePointer<Float>, output y: UnsafePointer<Float>, count: Int
  ) {
    switch activation {
    case .relu:
      // Read before the comparison: a conditional load would become a branch, wrong half of the time.
      for i in 0..<count {
        let gradient = dy[i]
        dy[i] = y[i] > 0 ? gradient : 0
      }
    case .sigmoid: for i in 0..<count { dy[i] *= y[i] * (1 - y[i]) }
    case .tanh: for i in 0..<count { dy[i] *= 1 - y[i] * y[i] }
    }
  }
}
