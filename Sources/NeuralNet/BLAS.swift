// The few BLAS calls this project makes, on row-major matrices, and what tells which BLAS it is.
import COpenBLAS

/// OpenBLAS: single-precision products, and the settings on which their last bits depend.
public enum BLAS {
  /// The kernel in use, as OpenBLAS names it (`Haswell`, `SkylakeX`, `Zen` …): another one may round
  /// differently.
  public static var kernelName: String { String(cString: openblas_get_corename()) }

  /// Version and build options, one line.
  public static let configuration =
    // Asked once: OpenBLAS puts it together in one buffer, which two threads at a time would garble.
    String(cString: openblas_get_config())

  /// Threads a product may use. Another number may give other last bits.
  public static func setThreads(_ count: Int) { openblas_set_num_threads(Int32(count)) }

  /// C = A·B + β·C, where A is (rows, inner), B is (inner, columns) and C is (rows, columns); a transposed
  /// operand is stored as (columns, inner) or (inner, rows). `strideA`: floats from one row of what is stored as
  /// A to the next, when A is a part of a wider matrix.
  @inline(__always)
  static func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, rows: Int,
    columns: Int, inner: Int, transposeA: Bool = false, transposeB: Bool = false, strideA: Int? = nil,
    beta: Float = 0
  ) {
    cblas_sgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      Int32(rows), Int32(columns), Int32(inner), 1, a, Int32(strideA ?? (transposeA ? rows : inner)), b,
      Int32(transposeB ? inner : columns), beta, c, Int32(columns))
  }
}
