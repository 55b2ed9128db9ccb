// The dense layer's three products. Sizes alone choose between BLAS and a plain loop, never the number
// of ranks: the bits of a shard's gradient depend on its shape only.

/// y = x·Wᵀ + b and its gradients. x is (rows, inputs), W is (outputs, inputs), y is (rows, outputs).
struct DenseProducts: Sendable {
  let inputs: Int
  let outputs: Int

  /// One output and few inputs: a BLAS call would cost more than the arithmetic.
  private var isSmall: Bool { outputs == 1 && inputs <= 8 }

  /// y = x·Wᵀ, without the bias.
  @inline(__always)
  func forward(
    _ x: UnsafePointer<Float>, weight w: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, rows: Int
  ) {
    guard isSmall else {
      BLAS.multiply(x, w, into: y, rows: rows, columns: outputs, inner: inputs, transposeB: true)
      return
    }
    let w = padded(w)
    for row in 0..<rows { y[row] = (vector(x, row, of: rows) * w).sum() }
  }

  /// A row of at most 8 inputs. The lanes behind it hold what follows in `x`, or zeros at its end.
  @inline(__always)
  private func vector(_ x: UnsafePointer<Float>, _ row: Int, of rows: Int) -> SIMD8<Float> {
    guard row * inputs + 8 <= rows * inputs else { return padded(x + row * inputs) }
    return UnsafeRawPointer(x + row * inputs).loadUnaligned(as: SIMD8<Float>.self)
  }

  /// `inputs` floats, followed by zeros.
  @inline(__always)
  private func padded(_ w: UnsafePointer<Float>) -> SIMD8<Float> {
    var vector = SIMD8<Float>()
    for j in 0..<inputs { vector[j] = w[j] }
    return vector
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
    // Two sums take turns, so that an addition need not wait for the one before it.
    var even = SIMD8<Float>()
    var odd = SIMD8<Float>()
    var bias: (Float, Float) = (0, 0)
    var row = 0
    while row + 1 < rows {
      even += vector(x, row, of: rows) * dy[row]
      odd += vector(x, row + 1, of: rows) * dy[row + 1]
      bias.0 += dy[row]
      bias.1 += dy[row + 1]
      row += 2
    }
    if row < rows {
      even += vector(x, row, of: rows) * dy[row]
      bias.0 += dy[row]
    }
    even += odd
    for j in 0..<inputs { dw[j] = accumulate ? dw[j] + even[j] : even[j] }
    db[0] += bias.0 + bias.1
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
