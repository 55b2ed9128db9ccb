// What makes a job slower than its machine, in a line each: too many threads, and BLAS kernels below the processor.
import DistributedSGD
import Glibc
import NeuralNet
import System
import Text

/// A warning when the ranks' BLAS threads are more than the server's cores; nil where all is well.
package func threadWarning(threads: Int, localRanks: Int, cores: Int) -> String? {
  guard threads > 1, threads * localRanks > cores else { return nil }
  let ranks = localRanks == 1 ? "1 rank" : "\(localRanks) ranks"
  return
    "--threads \(threads): \(ranks) × \(threads) threads on \(cores) core\(cores == 1 ? "" : "s") of a server wait for each other; \(max(1, cores / localRanks)) would fit"
}

/// A warning when OpenBLAS runs a kernel that uses a part of the processor's vectors only; nil where all is well, or
/// where the kernel is unknown.
///
/// - Parameters:
///   - kernel: `openblas_get_corename()`.
///   - cpuInformation: the text of `/proc/cpuinfo`.
///   - chosen: the environment's `OPENBLAS_CORETYPE`.
package func kernelWarning(kernel: String, cpuInformation: String, chosen: String?) -> String? {
  let vectors = vectorExtension(cpuInformation)
  guard ["AVX-512", "AVX2", "AVX"].contains(vectors.name), let used = BLAS.vectorBits(ofKernel: kernel),
    used < vectors.bits
  else { return nil }
  let cost = vectors.bits / used == 2 ? "twice" : "four times"
  let remedy =
    chosen.map { "unset OPENBLAS_CORETYPE (it is \(printable($0)))" }
    ?? "use --arithmetic portable, whose kernels know this processor, or install a newer OpenBLAS"
  return
    "OpenBLAS runs its kernel \(kernel): \(used / 32) of the \(vectors.bits / 32) lanes that this processor's \(vectors.name) has, so products take up to \(cost) as long; \(remedy)"
}

/// All that rank 0 has to say about this job.
func jobWarnings(_ options: TrainingOptions, cores: ServerCores) -> [String] {
  [
    threadWarning(threads: options.threads, localRanks: cores.localRanks, cores: cores.count),
    options.arithmetic == .portable
      ? nil
      : kernelWarning(
        kernel: BLAS.kernelName, cpuInformation: textOfSystemFile("/proc/cpuinfo") ?? "",
        chosen: environmentValue(BLAS.kernelVariable)),
  ].compactMap { $0 }
}
