// Which of its kernels OpenBLAS runs. An OpenBLAS that is older than the processor takes one for a processor of long ago,
// which uses a part of the vectors only: then it is told to take a wider one.
import CKernels
import COpenBLAS
import Glibc
import Synchronization

extension BLAS {
  /// The variable by which a user has OpenBLAS take a kernel.
  package static let kernelVariable = "OPENBLAS_CORETYPE"

  /// The kernel that OpenBLAS took by itself, where it was told to take a wider one.
  package static var replacedKernel: String? { replaced.withLock { $0 } }

  /// The kernel in use and who chose it: `Zen`, `Haswell (chosen by OPENBLAS_CORETYPE)` or `SkylakeX (OpenBLAS's own
  /// choice is Prescott)`.
  package static var kernelWords: String {
    if let replacedKernel { return "\(kernelName) (OpenBLAS's own choice is \(replacedKernel))" }
    return getenv(kernelVariable) == nil ? kernelName : "\(kernelName) (chosen by \(kernelVariable))"
  }

  /// The vectors of one of OpenBLAS's x86 kernels for single precision; nil where it is not known.
  package static func vectorBits(ofKernel kernel: String) -> Int? {
    switch kernel.lowercased() {
    case "skylakex", "cooperlake", "sapphirerapids": 512
    case "haswell", "zen", "excavator", "steamroller", "piledriver", "bulldozer", "sandybridge": 256
    case "prescott", "core2", "penryn", "dunnington", "nehalem", "athlon", "opteron", "opteron_sse3",
      "barcelona",
      "bobcat", "atom", "nano", "katmai", "coppermine", "northwood", "banias":
      128
    default: nil
    }
  }

  /// The kernel for a processor with such vectors; nil: OpenBLAS may choose.
  package static func kernel(ofVectorBits bits: Int) -> String? {
    switch bits {
    case 512: "SkylakeX"
    case 256: "Haswell"
    default: nil
    }
  }

  /// What a process says to the others of its job about its OpenBLAS.
  package struct KernelSituation: Equatable {
    /// That a kernel's instructions can have on this processor; 256 has fused multiply-adds too.
    package var processorBits: Int
    /// Of the kernel in use; the most where it is not known.
    package var kernelBits: Int
    /// Whether the user has chosen, or this OpenBLAS has no choice: then all stays as it is.
    package var isFixed: Bool

    package init(processorBits: Int, kernelBits: Int, isFixed: Bool) {
      self.processorBits = processorBits
      self.kernelBits = kernelBits
      self.isFixed = isFixed
    }

    /// This process's.
    package static var own: KernelSituation {
      KernelSituation(
        processorBits: Int(ckernels_vector_bits()), kernelBits: vectorBits(ofKernel: kernelName) ?? .max,
        isFixed: getenv(kernelVariable) != nil)
    }

    /// The kernel that all processes should take, where what they have is narrower than the least of their processors,
    /// or not the same.
    /// - Parameter areAlike: whether all of them have the same kernel; `self` has the least of every number.
    package func wanted(areAlike: Bool) -> String? {
      isFixed || areAlike && kernelBits >= processorBits ? nil : kernel(ofVectorBits: processorBits)
    }
  }

  /// Has OpenBLAS take a kernel instead of its own choice. No product may run meanwhile.
  /// - Returns: whether it has, and computes products rightly by it; else all is as before.
  package static func take(kernel name: String) -> Bool {
    let own = kernelName
    guard own != name else { return true }
    setenv(kernelVariable, name, 1)
    let hasChosen = openblas_choose_again()
    unsetenv(kernelVariable)
    guard hasChosen else { return false }
    guard kernelName == name, productsAreRight() else {
      takeOwnKernel()
      return false
    }
    replaced.withLock { $0 = own }
    return true
  }

  /// Has OpenBLAS choose by itself again.
  package static func takeOwnKernel() {
    _ = openblas_choose_again()
    replaced.withLock { $0 = nil }
  }

  /// Whether products of some shapes are what plain loops in double precision find.
  package static func productsAreRight() -> Bool {
    let shapes = [(1, 1, 1), (3, 5, 7), (16, 16, 16), (33, 17, 129), (10, 128, 64), (40, 48, 200)]
    return shapes.allSatisfy { rows, columns, inner in
      [(false, false), (false, true), (true, false)].allSatisfy { transposeA, transposeB in
        isRight(rows, columns, inner, transposeA, transposeB)
      }
    }
  }

  private static func isRight(
    _ rows: Int, _ columns: Int, _ inner: Int, _ transposeA: Bool, _ transposeB: Bool
  ) -> Bool {
    func numbers(_ count: Int, _ step: Int) -> [Float] { (0..<count).map { Float($0 * step % 17 - 8) / 8 } }
    let (a, b) = (numbers(rows * inner, 5), numbers(inner * columns, 7))
    var c = [Float](repeating: .nan, count: rows * columns)
    BLASProducts.multiply(
      a, b, into: &c, rows: rows, columns: columns, inner: inner, transposeA: transposeA,
      transposeB: transposeB,
      strideA: transposeA ? rows : inner, beta: 0)
    return (0..<rows).allSatisfy { i in
      (0..<columns).allSatisfy { j in
        let exact = (0..<inner).reduce(0.0) { sum, k in
          sum + Double(a[transposeA ? k * rows + i : i * inner + k])
            * Double(b[transposeB ? j * inner + k : k * columns + j])
        }
        return abs(Double(c[i * columns + j]) - exact) <= 1e-5 * Double(inner)
      }
    }
  }
}

private let replaced = Mutex<String?>(nil)
