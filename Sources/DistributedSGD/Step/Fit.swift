// The door of training: model, loss and data must fit each other before anything is computed.
import DataFormats
import NeuralNet
import System
import Text

/// Every rank sees the same, and throws the same.
/// - Throws: `AgreedError` that says which of them does not fit, and what would.
func requireFit(_ model: Sequential, _ loss: any Loss, _ data: Dataset) throws {
  func refuse(_ text: String) -> AgreedError { AgreedError(DistsgdError(.usage, text)) }
  guard model.inputCount == data.featureCount else {
    throw refuse(
      "the model takes \(counted(model.inputCount, "input")) and the data have \(data.featureCount): make it with inputs: \(data.featureCount)"
    )
  }
  guard (loss.targets == .classes) == (data.classCount != nil) else {
    throw refuse(
      data.classCount == nil
        ? "the loss \(loss) needs classes and the data have values as targets: use squared"
        : "the loss \(loss) needs values and the data have classes as targets: use cross-entropy")
  }
  let outputs: Int
  do { outputs = try loss.outputCount(classes: data.classCount, targets: data.targetCount) } catch {
    throw refuse("the loss \(loss): \(error)")
  }
  guard model.outputCount == outputs else {
    throw refuse(
      "the model makes \(model.outputCount) outputs and the loss \(loss) takes \(outputs) for these data: end it with Dense(\(outputs))"
    )
  }
}
