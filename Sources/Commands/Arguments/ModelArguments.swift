// What is trained, as ArgumentParser sees it.
import ArgumentParser
import NeuralNet
import Runs

extension BatchNorm.Span: ExpressibleByArgument {}

struct ModelArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "\(ModelSpecification.forms); layers: \(layerForms). (default: by the data)", valueName: "layers"))
  var model: String?

  @Option(
    help: ArgumentHelp(
      "The activation of an mlp or a lenet. (default: relu; sigmoid of a lenet)", valueName: "name"))
  var activation: Activation?

  @Option(
    help: ArgumentHelp(
      "What batch norms average over: a shard, or the global batch. (default: shard)",
      valueName: "shard|global"))
  var batchNorm: BatchNorm.Span?

  @Option(
    help: ArgumentHelp("\(lossForms). (default: by the data)", valueName: "loss"), transform: parseLoss)
  var loss: (any Loss)?

  @OptionGroup var arithmetic: ArithmeticArguments

  @Option(help: ArgumentHelp("Start from these weights.", valueName: "file.safetensors"))
  var initialize: String?

  func validate() throws { _ = try specification() }

  private func specification() throws -> ModelSpecification? {
    try model.map { try parseModel($0, activation) }
  }

  func apply(to options: inout TrainingOptions) {
    // It was looked at by `validate`.
    options.model = try? specification()
    options.activation = activation ?? options.model?.activation ?? .relu
    options.batchNorm = batchNorm
    options.loss = loss
    options.arithmetic = arithmetic.name
    options.initialize = initialize
  }
}
