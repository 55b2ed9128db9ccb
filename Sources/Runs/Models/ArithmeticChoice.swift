// Which kernels compute, of those that this processor has.
import NeuralNet
import System
import Text

extension ArithmeticName {
  /// - Throws: `DistsgdError` (`usage`) where the environment names instructions that this processor does not have.
  package func chosen() throws(DistsgdError) -> Arithmetic {
    let word = environmentValue(Instructions.variable)
    if let arithmetic = arithmetic(instructions: word) { return arithmetic }
    throw DistsgdError(
      .usage,
      "\(Instructions.variable)=\(printable(word ?? "")): this processor has \(Instructions.available.map(\.description).joined(separator: ", ")); unset it for the best of them"
    )
  }
}
