// Products whose bits are defined: each element one chain of fused multiply-adds, in the order of its inner numbers.
import CKernels

/// Products by our own kernels. The bits of an element depend on its row of A and its column of B alone, whatever the
/// shape of the product and the set of instructions.
public final class PortableProducts: MatrixProducts {
  public static let name = "portable"

  let chains: ProductChains
  private var maximumInner = 0

  /// - Parameter instructions: whose kernels compute; every set has the same bits.
  public init(_ instructions: Instructions) {
    chains = ProductChains(instructions.kernels)
  }

  deinit { chains.deallocate() }

  public func reserve(inner: Int) {
    guard inner > maximumInner else { return }
    chains.allocate(inner: inner)
    maximumInner = inner
  }

  @inline(__always)
  public func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, rows: Int,
    columns: Int, inner: Int, transposeA: Bool, transposeB: Bool, strideA: Int, beta: Float
  ) {
    precondition(inner <= maximumInner)
    chains.multiply(
      a, b, into: c, rows: rows, columns: columns, inner: inner, transposeA: transposeA,
      transposeB: transposeB, strideA: strideA, pieces: nil, continues: beta == 1)
  }
}

/// The kernels and their workspace, as plain pointers: a pass counts no references. They belong to `PortableProducts`.
struct ProductChains {
  let kernels: UnsafePointer<ckernels_instructions>
  /// The one that is there; a layer that is made ready later may ask for a larger one.
  private let workspace: UnsafeMutablePointer<UnsafeMutableRawPointer>

  fileprivate init(_ kernels: UnsafePointer<ckernels_instructions>) {
    self.kernels = kernels
    workspace = .allocate(capacity: 1)
    workspace.initialize(to: Self.memory(inner: 0))
  }

  private static func memory(inner: Int) -> UnsafeMutableRawPointer {
    .allocate(byteCount: 4 * ckernels_workspace(inner), alignment: 64)
  }

  fileprivate func allocate(inner: Int) {
    workspace.pointee.deallocate()
    workspace.pointee = Self.memory(inner: inner)
  }

  fileprivate func deallocate() {
    workspace.pointee.deallocate()
    workspace.deallocate()
  }

  /// C = A·B as `MatrixProducts` has it; where the inner numbers are cut into pieces, each has a chain of its own, and
  /// C becomes their pairwise sum.
  /// - Parameters:
  ///   - pieces: where each piece starts, and the end of the last, counted from any number: A begins with the first.
  ///   - continues: whether the chains go on from what C holds; for one piece only.
  ///   - bias: what is added to each row of C then.
  ///   - rectifies: whether ReLU follows the bias.
  ///   - kept: of C's shape; C becomes 0 where it is not above 0.
  func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, rows: Int,
    columns: Int, inner: Int, transposeA: Bool, transposeB: Bool, strideA: Int,
    pieces: UnsafeBufferPointer<Int>?, continues: Bool, bias: UnsafePointer<Float>? = nil,
    rectifies: Bool = false, kept: UnsafePointer<Float>? = nil
  ) {
    let count = pieces.map { $0.count - 1 } ?? 1
    precondition(1..<1 << 24 ~= count && (count == 1 || !continues))
    var product = ckernels_product(
      rows: rows, columns: columns, inner: inner,
      a: ckernels_matrix(start: a, row: transposeA ? 1 : strideA, column: transposeA ? strideA : 1),
      b: ckernels_matrix(start: b, row: transposeB ? 1 : columns, column: transposeB ? inner : 1), c: c,
      bounds: pieces?.baseAddress, pieces: count, continues: continues, bias: bias, kept: kept,
      rectifies: rectifies)
    kernels.pointee.multiply(&product, workspace.pointee.assumingMemoryBound(to: Float.self))
  }
}
