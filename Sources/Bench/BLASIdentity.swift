// Which BLAS kernel runs, and whether the environment chose it.
import NeuralNet
import System

enum BLASIdentity {
  /// `SkylakeX`, or `Haswell (chosen by OPENBLAS_CORETYPE)`.
  static var kernel: String {
    let isChosen = environmentValue("OPENBLAS_CORETYPE") != nil
    return BLAS.kernelName + (isChosen ? " (chosen by OPENBLAS_CORETYPE)" : "")
  }
}
