// OpenBLAS: the matrix products of training by it, and what tells which BLAS it is.
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
}

/// Products by OpenBLAS's sgemm: the order of an element's additions may depend on the product's size.
public enum BLASProducts: MatrixProducts {
  public static let name = "blas"

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
