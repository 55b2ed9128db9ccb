// The products of dense layers and convolutions, whoever computes them.

/// An arithmetic of matrix products. A type without values: a layer keeps it as `any MatrixProducts.Type`.
public protocol MatrixProducts: Sendable {
  /// What runs and checkpoints call it.
  static var name: String { get }

  /// C = A·B + β·C, row-major: A is (rows, inner), B is (inner, columns) and C is (rows, columns); a transposed
  /// operand is stored as (columns, inner) or (inner, rows).
  /// - Parameter strideA: floats from one row of what is stored as A to the next, when A is a part of a wider matrix.
  static func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, rows: Int,
    columns: Int, inner: Int, transposeA: Bool, transposeB: Bool, strideA: Int, beta: Float)
}
