// `bench roofline`: what this machine can do at most, by memory and by arithmetic, and where dot, gemv and
// gemm stand below it (Williams, Waterman and Patterson 2009, "Roofline").
import DataFormats
import NeuralNet
import Runs
import System

package struct RooflineOptions: Sendable {
  /// Sizes n of the products: dot over n² elements, gemv and gemm on n × n matrices.
  package var sizes = [32, 128, 512, 2048]
  /// The matrices among which the peak is looked for.
  package var peakSizes = [256, 512, 1024, 2048]
  package var samples = 21

  package init() {}

  /// - Throws: `DistsgdError` (`usage`).
  package func validate() throws {
    try NumberRange.rooflineSizes.check(sizes)
    let largest = Double(sizes.max() ?? 1)
    try requireMemory(
      bytes: 12 * largest * largest, for: "a product of \(Int(largest)) rows and columns",
      instead: "smaller sizes")
  }
}

/// A product of one size.
package struct KernelMeasurement: Sendable {
  package enum Kernel: String, Sendable, CaseIterable { case dot, gemv, gemm }

  package let kernel: Kernel
  package let size: Int
  /// GFLOP/s of one thread.
  package let rate: Rate
}

package struct RooflineBench {
  private let options: RooflineOptions
  /// Short, so that some samples fall between the disturbances: a roof is the best that was seen.
  static let sampleSeconds = 0.003

  package init(_ options: RooflineOptions) { self.options = options }

  /// - Throws: `DistsgdError` (`usage`).
  package func run() throws -> RooflineReport {
    try options.validate()
    let machine = Machine()
    try requireBufferOfBLAS(threads: machine.cores)
    let workingSets = MemoryBandwidth.workingSets(machine.caches)
    Stages.begin(2 + workingSets.count + options.sizes.count)
    let products = options.peakSizes.map { MatrixProduct(size: $0) }
    func peak(threads: Int) -> Rate {
      Stages.next("peak of \(threads) thread\(threads == 1 ? "" : "s")")
      BLAS.setThreads(threads)
      let timings = time(
        products.map { product in { product.compute(.whole, units: 1) } }, samples: options.samples,
        minimumSeconds: Self.sampleSeconds)
      let rates = zip(products, timings).map { Rate($0.operations, in: $1) }
      return rates.max { $0.greatest < $1.greatest }!
    }
    let allThreads = machine.cores > 1 ? peak(threads: machine.cores) : nil
    let oneThread = peak(threads: 1)
    let bandwidth = MemoryBandwidth(vectors: machine.vectors, samples: options.samples)
    let levels = workingSets.map { set in
      Stages.next("bandwidth of \(set.level)")
      return bandwidth.measure(level: set.level, bytes: set.bytes)
    }
    return RooflineReport(
      machine: machine, peak: oneThread, peakOfAllThreads: allThreads ?? oneThread, levels: levels,
      kernels: options.sizes.flatMap(measure))
  }

  /// Dot, gemv and gemm of one size, on one thread.
  private func measure(size: Int) -> [KernelMeasurement] {
    Stages.next("dot, gemv and gemm of size \(size)")
    let product = MatrixProduct(size: size)
    let count = size * size
    let (a, b, c) = (product.a, product.b, product.c)
    var sum: Float = 0
    let timings = withUnsafeMutablePointer(to: &sum) { sum in
      time(
        [
          { sum.pointee += BLAS.dot(a, b, count: count) },
          { BLAS.multiply(square: a, vector: b, into: c, size: size) },
          { product.compute(.whole, units: 1) },
        ], samples: options.samples, minimumSeconds: Self.sampleSeconds)
    }
    return zip(KernelMeasurement.Kernel.allCases, timings).map { kernel, timing in
      KernelMeasurement(kernel: kernel, size: size, timing: timing)
    }
  }
}

extension KernelMeasurement {
  init(kernel: Kernel, size: Int, timing: Timing) {
    self.kernel = kernel
    self.size = size
    rate = Rate(Self.operations(kernel, size: size), in: timing)
  }

  /// Multiplications and additions.
  private static func operations(_ kernel: Kernel, size: Int) -> Double {
    let n = Double(size)
    return kernel == .gemm ? 2 * n * n * n : 2 * n * n
  }

  /// Bytes of the operands and the result: each is read or written at least once.
  package var bytes: Double {
    let n = Double(size)
    switch kernel {
    case .dot: return 8 * n * n
    case .gemv: return 4 * n * n + 8 * n
    case .gemm: return 12 * n * n
    }
  }

  /// Operations for every byte.
  package var intensity: Double { Self.operations(kernel, size: size) / bytes }
}
