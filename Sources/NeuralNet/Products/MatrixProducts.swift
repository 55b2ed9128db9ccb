// The products of dense layers and convolutions, whoever computes them.

/// An arithmetic of matrix products, made for one network.
public protocol MatrixProducts {
  /// What runs and checkpoints call it.
  static var name: String { get }

  /// Makes ready for products of so many inner numbers. Called by layers when they are made ready.
  func reserve(inner: Int)

  /// C = A·B + β·C, row-major: A is (rows, inner), B is (inner, columns) and C is (rows, columns); a transposed
  /// operand is stored as (columns, inner) or (inner, rows).
  /// - Parameters:
  ///   - strideA: floats from one row of what is stored as A to the next, when A is a part of a wider matrix.
  ///   - beta: 0 or 1.
  func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, rows: Int,
    columns: Int, inner: Int, transposeA: Bool, transposeB: Bool, strideA: Int, beta: Float)
}
