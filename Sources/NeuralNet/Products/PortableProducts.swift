// Products whose bits are defined: each element one chain of fused multiply-adds, in the order of its inner numbers.
import CKernels

/// Products by our own kernels. The bits of an element depend on its row of A and its column of B alone, whatever the
/// shape of the product and the set of instructions.
public final class PortableProducts: MatrixProducts {
  public static let name = "portable"

  public let instructions: Instructions
  private var workspace: UnsafeMutableRawPointer
  private var maximumInner = 0

  public init(_ instructions: Instructions) {
    self.instructions = instructions
    workspace = Self.allocate(inner: 0)
  }

  deinit { workspace.deallocate() }

  private static func allocate(inner: Int) -> UnsafeMutableRawPointer {
    .allocate(byteCount: 4 * ckernels_workspace(inner), alignment: 64)
  }

  public func reserve(inner: Int) {
    guard inner > maximumInner else { return }
    workspace.deallocate()
    workspace = Self.allocate(inner: inner)
    maximumInner = inner
  }

  @inline(__always)
  public func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, rows: Int,
    columns: Int, inner: Int, transposeA: Bool, transposeB: Bool, strideA: Int, beta: Float
  ) {
    multiply(
      a, b, into: c, rows: rows, columns: columns, inner: inner, transposeA: transposeA,
      transposeB: transposeB,
      strideA: strideA, pieces: nil, continues: beta == 1)
  }

  /// The same; where the inner numbers are cut into pieces, each has a chain of its own, and C becomes their pairwise
  /// sum.
  /// - Parameters:
  ///   - pieces: where each piece starts, and the end of the last, counted from any number: A begins with the first.
  ///   - continues: whether the chains go on from what C holds; for one piece only.
  func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, rows: Int,
    columns: Int, inner: Int, transposeA: Bool, transposeB: Bool, strideA: Int,
    pieces: UnsafeBufferPointer<Int>?, continues: Bool
  ) {
    let count = pieces.map { $0.count - 1 } ?? 1
    precondition(inner <= maximumInner && 1..<1 << 24 ~= count && (count == 1 || !continues))
    var product = ckernels_product(
      rows: rows, columns: columns, inner: inner,
      a: ckernels_matrix(start: a, row: transposeA ? 1 : strideA, column: transposeA ? strideA : 1),
      b: ckernels_matrix(start: b, row: transposeB ? 1 : columns, column: transposeB ? inner : 1), c: c,
      bounds: pieces?.baseAddress, pieces: count, continues: continues)
    instructions.kernels.pointee.multiply(&product, workspace.assumingMemoryBound(to: Float.self))
  }
}
