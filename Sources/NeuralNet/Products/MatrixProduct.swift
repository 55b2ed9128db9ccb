// C = A·B in four ways, from one number at a time to the whole matrix: how much of a processor a program
// gets depends on how much work it hands over in one call.
import COpenBLAS
import RandomNumbers

/// Three square matrices, row-major, and the ways to multiply two of them into the third.
package final class MatrixProduct {
  /// What one BLAS call computes.
  package enum Way: Sendable, Equatable {
    /// One element of C: the dot product of a row of A and a column of B.
    case element
    /// One column of C: a matrix-vector product.
    case column
    /// So many columns of C: a matrix-matrix product on slices.
    case block(columns: Int)
    /// All of C.
    case whole
  }

  /// Rows and columns.
  package let size: Int
  /// Shape (size, size) each.
  package let a, b, c: UnsafeMutablePointer<Float>

  /// A and B uniform on [−½, ½), C zero.
  package init(size: Int, seed: UInt64 = 0) {
    precondition(size >= 1)
    self.size = size
    let count = size * size
    func allocate() -> UnsafeMutablePointer<Float> {
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 4 * count, alignment: 64)
      return memory.initializeMemory(as: Float.self, repeating: 0, count: count)
    }
    (a, b, c) = (allocate(), allocate(), allocate())
    let random = Philox(seed: seed, purpose: .syntheticData)
    for i in 0..<count {
      let bits = random.bits(UInt64(i))
      a[i] = Float(bits & 0xFF_FFFF) * 0x1p-24 - 0.5
      b[i] = Float(bits >> 32 & 0xFF_FFFF) * 0x1p-24 - 0.5
    }
  }

  deinit {
    a.deallocate()
    b.deallocate()
    c.deallocate()
  }

  /// Multiplications and additions of the whole product.
  package var operations: Double { 2 * Double(size) * Double(size) * Double(size) }

  /// The parts that a way can be stopped between: rows of C for elements, else groups of columns.
  package func unitCount(_ way: Way) -> Int {
    switch way {
    case .element, .column: size
    case .block(let columns): (size + columns - 1) / columns
    case .whole: 1
    }
  }

  /// The rows and columns of C that `units` units of `way` compute, from the first on.
  package func region(_ way: Way, units: Int) -> (rows: Int, columns: Int) {
    switch way {
    case .element: (units, size)
    case .column: (size, units)
    case .block(let columns): (size, min(units * columns, size))
    case .whole: (size, size)
    }
  }

  /// Computes the first `units` units of C.
  package func compute(_ way: Way, units: Int) {
    precondition(units <= unitCount(way))
    let n = Int32(size)
    switch way {
    case .element:
      for i in 0..<units {
        for j in 0..<size { c[i * size + j] = cblas_sdot(n, a + i * size, 1, b + j, n) }
      }
    case .column:
      for j in 0..<units { cblas_sgemv(CblasRowMajor, CblasNoTrans, n, n, 1, a, n, b + j, n, 0, c + j, n) }
    case .block(let columns):
      for j in stride(from: 0, to: min(units * columns, size), by: columns) {
        let width = Int32(min(columns, size - j))
        cblas_sgemm(
          CblasRowMajor, CblasNoTrans, CblasNoTrans, n, width, n, 1, a, n, b + j, n, 0, c + j, n)
      }
    case .whole:
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0, c, n)
    }
  }

  /// C[row, column] by a plain loop in double precision.
  package func exactElement(row: Int, column: Int) -> Double {
    (0..<size).reduce(0) { $0 + Double(a[row * size + $1]) * Double(b[$1 * size + column]) }
  }
}

extension BLAS {
  /// Σ x[i]·y[i] over contiguous vectors of `count` floats: two operations for eight bytes.
  package static func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Float {
    cblas_sdot(Int32(count), x, 1, y, 1)
  }

  /// y = A·x with A of shape (size, size): two operations for every four bytes of A.
  package static func multiply(
    square a: UnsafePointer<Float>, vector x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    size: Int
  ) {
    let n = Int32(size)
    cblas_sgemv(CblasRowMajor, CblasNoTrans, n, n, 1, a, n, x, 1, 0, y, 1)
  }
}
