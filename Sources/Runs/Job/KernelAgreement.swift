// One BLAS kernel for all ranks of a job: the widest that every processor of it has.
import MPI
import NeuralNet
import System

extension Communicator {
  /// Has OpenBLAS take another kernel than its own choice where that is narrower than the processors of all ranks are, or
  /// where the ranks' own choices differ. A user's choice stays. Collective, and before the first product.
  func agreeOnKernel() throws(MPIError) {
    let own = BLAS.KernelSituation.own
    let name = Array(BLAS.kernelName.utf8).withUnsafeBytes { Int(xxh64($0) >> 1) }
    let least = BLAS.KernelSituation(
      processorBits: try allReduce(own.processorBits, .minimum),
      kernelBits: try allReduce(own.kernelBits, .minimum),
      isFixed: try allReduce(own.isFixed || !canTakeBuffer ? 1 : 0, .maximum) == 1)
    let areAlike = try allReduce(name, .minimum) == allReduce(name, .maximum)
    guard let kernel = least.wanted(areAlike: areAlike) else { return }
    let hasTaken = BLAS.take(kernel: kernel)
    if try allReduce(hasTaken ? 1 : 0, .minimum) == 0 { BLAS.takeOwnKernel() }
  }

  /// Whether a product may be tried: under a limit of the address space it would wait for ever.
  private var canTakeBuffer: Bool { (try? requireBufferOfBLAS(threads: 1)) != nil }
}
