// How it is trained, as ArgumentParser sees it.
import ArgumentParser
import DistributedSGD
import NeuralNet
import Runs

struct TrainingArguments: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Examples per update, over all ranks. (default: 128, or all of a smaller set)", valueName: "b"))
  var globalBatch: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Cut every batch into V shards; equal V gives equal bits at any number of ranks. (default: 8, or the next power of two for more ranks)",
      valueName: "v"))
  var shards: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Examples of one forward and backward pass. (default: a shard)", valueName: "m"))
  var microBatch: Int?

  @Option(help: ArgumentHelp("A short last batch: keep or drop.", valueName: "keep|drop"))
  var lastBatch = LastBatch.keep

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Passes over the training set. (default: 2, or as many as --steps takes)", valueName: "e"))
  var epochs: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("Stop after T updates.", valueName: "t"))
  var steps: Int?

  @Option(parsing: .unconditional, help: "Every random number is a function of this.")
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("shuffle, replacement or sequential.", valueName: "order"))
  var sampling = Sampling.shuffle

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Make the training set K copies of itself.", valueName: "k"))
  var duplicate = 1

  @Option(
    help: ArgumentHelp("The update rule: \(optimizerForms).", valueName: "rule"),
    transform: OptimizerChoice.init)
  var optimizer = OptimizerChoice(SGD())

  @Option(
    name: [.long, .customLong("lr")], parsing: .unconditional,
    help: ArgumentHelp(
      "The step size η. (default: 0.4 for linear, 0.001 for adam and adamw, else 0.1)", valueName: "η"),
    transform: parseNumber)
  var learningRate: Double?

  @Option(
    help: ArgumentHelp(
      "How the learning rate changes: \(scheduleForms).", valueName: "schedule"),
    transform: parseSchedule)
  var schedule: any Schedule = ConstantSchedule()

  func apply(to options: inout TrainingOptions) {
    if let globalBatch { options.globalBatch = globalBatch }
    options.shards = shards
    options.microBatch = microBatch
    options.lastBatch = lastBatch
    options.epochs = epochs
    options.steps = steps
    options.seed = seed
    options.sampling = sampling
    options.copies = duplicate
    options.optimizer = optimizer.optimizer
    options.learningRate = learningRate
    options.schedule = schedule
  }
}
