// OpenBLAS: the matrix products of training by it, and what tells which BLAS it is.
import CKernels
import COpenBLAS
import System

/// OpenBLAS: single-precision products, and the settings on which their last bits depend.
public enum BLAS {
  /// The kernel in use, as OpenBLAS names it (`Haswell`, `SkylakeX`, `Zen` …): another one may round
  /// differently.
  public static var kernelName: String { String(cString: openblas_get_corename()) }

  /// Version and build options, one line.
  public static let configuration =
    // Asked once: OpenBLAS puts it together in one buffer, which two threads at a time would garble.
    String(cString: openblas_get_config())

  /// Threads a product may use now.
  package static var threadCount: Int { Int(openblas_get_num_threads()) }

  /// Threads a product may use. Another number may give other last bits.
  public static func setThreads(_ count: Int) {
    // The pool was made while libraries were loaded, and threads inherit how they round: a new one inherits it from
    // this thread.
    if count > 1, FloatingPointEnvironment.wasChanged { openblas_end_threads() }
    openblas_set_num_threads(Int32(clamping: count))
  }

  /// What each thread takes for its products, of address space rather than of memory.
  package static let bufferBytes = 134_217_728.0

  /// Has this thread's buffer taken now: a product that fits no other way.
  package static func takeBuffer() {
    let size = 128
    let square = UnsafeMutablePointer<Float>.allocate(capacity: 2 * size * size)
    defer { square.deallocate() }
    square.initialize(repeating: 0, count: 2 * size * size)
    BLASProducts.multiply(
      square, square, into: square + size * size, rows: size, columns: size, inner: size, transposeA: false,
      transposeB: false, strideA: size, beta: 0)
  }
}

/// Products by OpenBLAS's sgemm: the order of an element's additions may depend on the product's size.
public struct BLASProducts: MatrixProducts {
  public static let name = "blas"

  public func reserve(inner: Int) {}

  public func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, rows: Int,
    columns: Int, inner: Int, transposeA: Bool, transposeB: Bool, strideA: Int, beta: Float
  ) {
    Self.multiply(
      a, b, into: c, rows: rows, columns: columns, inner: inner, transposeA: transposeA,
      transposeB: transposeB,
      strideA: strideA, beta: beta)
  }

  @inline(__always)
  public static func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, rows: Int,
    columns: Int, inner: Int, transposeA: Bool, transposeB: Bool, strideA: Int, beta: Float
  ) {
    cblas_sgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      Int32(rows), Int32(columns), Int32(inner), 1, a, Int32(strideA), b,
      Int32(transposeB ? inner : columns), beta, c, Int32(columns))
  }
}
