// The dense layer's three products. Sizes alone choose between BLAS and a plain loop, never the number
// of ranks: the bits of a shard's gradient depend on its shape only.

/// y = x·Wᵀ + b and its gradients. x is (rows, inputs), W is (outputs, inputs), y is (rows, outputs).
struct DenseProducts: Sendable {
  let inputs: Int
  let outputs: Int

  /// A product of so few multiplications a row that a BLAS call costs more than the arithmetic.
  private var isSmall: Bool { outputs == 1 && inputs <= 64 }

  /// y = x·Wᵀ, without the bias.
  @inline(__always)
  func forward(
    _ x: UnsafePointer<Float>, weight w: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, rows: Int
  ) {
    guard isSmall else {
      BLAS.multiply(x, w, into: y, rows: rows, columns: outputs, inner: inputs, transposeB: true)
      return
    }
    for row in 0..<rows {
      let x = x + row * inputs
      var sum: Float = 0
      for j in 0..<inputs { sum += x[j] * w[j] }
      y[row] = sum
    }
  }

  /// dW = dyᵀ·x and db = the column sums of dy, added to what is there if `accumulate`.
  @inline(__always)
  func parameterGradients(
    _ x: UnsafePointer<Float>, outputGradient dy: UnsafePointer<Float>,
    weight dw: UnsafeMutablePointer<Float>, bias db: UnsafeMutablePointer<Float>, rows: Int, accumulate: Bool
  ) {
    if !accumulate { db.update(repeating: 0, count: outputs) }
    guard isSmall else {
      BLAS.multiply(
        dy, x, into: dw, rows: outputs, columns: inputs, inner: rows, transposeA: true,
        beta: accumulate ? 1 : 0)
      for row in 0..<rows {
        let dy = dy + row * outputs
        for j in 0..<outputs { db[j] += dy[j] }
      }
      return
    }
    if !accumulate { dw.update(repeating: 0, count: inputs) }
    for row in 0..<rows {
      let x = x + row * inputs
      let factor = dy[row]
      for j in 0..<inputs { dw[j] += factor * x[j] }
      db[0] += factor
    }
  }

  /// dx = dy·W.
  @inline(__always)
  func inputGradient(
    outputGradient dy: UnsafePointer<Float>, weight w: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, rows: Int
  ) {
    BLAS.multiply(dy, w, into: dx, rows: rows, columns: inputs, inner: outputs)
  }
}
