import ArgumentParser
import DistributedSGD
import Experiments
import MPI
import Runs
import System

struct SweepCommand: JobCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Train at every pair of batch size and learning rate, and compare.",
    discussion: "The best is the run that first reaches the target loss, in training time.")

  @OptionGroup(title: "Data") var data: DataArguments
  @OptionGroup(title: "Model") var model: ModelArguments

  @Option(
    help: ArgumentHelp(
      "Batch sizes, by commas. (default: 10,100,1000, as far as there are examples)", valueName: "b,…"),
    transform: integers)
  var globalBatch: [Int]?

  @Option(
    name: [.long, .customLong("lr")], help: ArgumentHelp("Learning rates, by commas.", valueName: "η,…"),
    transform: { text in try words(text).map { try parseNumber(String($0)) } })
  var learningRate = [0.01, 0.1, 1]

  @Option(help: ArgumentHelp("Passes over the training set.", valueName: "e"))
  var epochs = 2

  @Option(
    help: ArgumentHelp("Examples between evaluations. (default: a tenth of the training set)", valueName: "n")
  )
  var evaluateEvery: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The loss to reach. (default: 2 % above the best final loss)", valueName: "loss"),
    transform: parseNumber)
  var targetLoss: Double?

  @OptionGroup var experiment: ExperimentArguments
  @OptionGroup(title: "Ranks") var start: StartArguments

  func run(on communicator: any Communicator) throws {
    try start.requireNone()
    StandardStreams.outliveReaders()
    try communicator.agreeingOnErrors {
      try NumberRange.globalBatch.check(globalBatch ?? [])
      try DecimalRange.learningRate.check(learningRate)
      try DecimalRange.targetLoss.check(targetLoss)
    }
    var training = TrainingOptions()
    data.apply(to: &training)
    model.apply(to: &training)
    training.epochs = epochs
    training.seed = experiment.seed
    training.shards = experiment.shards
    training.evaluateEvery = evaluateEvery
    training.isQuiet = true
    if let least = globalBatch?.min() { training.globalBatch = least }
    let study = Sweep.study(globalBatches: globalBatch, learningRates: learningRate, targetLoss: targetLoss)
    try experiment.runner(on: communicator).run(study, training)
  }
}

/// What stands between commas.
private func words(_ text: String) -> [Substring] {
  text.split(separator: ",", omittingEmptySubsequences: false)
}
