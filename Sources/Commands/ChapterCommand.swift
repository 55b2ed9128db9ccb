import ArgumentParser
import DistributedSGD
import Experiments
import MPI
import System

struct ChapterCommand: JobCommand {
  static let configuration = CommandConfiguration(
    commandName: "chapter",
    abstract: "The experiments of the d2l.ai chapter 'Minibatch Stochastic Gradient Descent'.",
    discussion: """
      Linear regression on the airfoil data (the real set where it is found, else the built-in one with the same \
      moments): gradient descent, SGD, and minibatches of 100 and 10, compared by time and loss. Writes the \
      chapter's figure and all curves. --exercise N runs the chapter's exercise N instead; --beyond NAME what the \
      chapter speaks of and does not show.
      """)

  @Option(help: ArgumentHelp("An exercise of the chapter: 1, 2, 3 or 4.", valueName: "n"))
  var exercise: Int?

  @Option(
    help: ArgumentHelp(
      "batch-norm: over how many examples batch norms should average; large-batch: batches of 64 to 8192 with and without linear scaling, warm-up and lars (fashion-mnist, where it is found).",
      valueName: "name"))
  var beyond: Chapter.Beyond?

  @Option(
    help: ArgumentHelp(
      "Epochs of each run of --beyond. (default: 5 of batch-norm, 3 of large-batch)", valueName: "n"))
  var epochs: Int?

  @Option(
    help: ArgumentHelp(
      "The data. (default: airfoil where its file is found, else airfoil-like)", valueName: "name|path"))
  var data: String?

  @OptionGroup var origin: DataOriginArguments

  @OptionGroup var arithmetic: ArithmeticArguments

  @OptionGroup var experiment: ExperimentArguments
  @OptionGroup(title: "Ranks") var start: StartArguments

  func run(on communicator: any Communicator) throws {
    try start.requireNone()
    StandardStreams.outliveReaders()
    if let beyond { return try run(beyond, on: communicator) }
    let chosen = try communicator.agreeingOnErrors {
      guard epochs == nil else {
        throw DistsgdError(.usage, "--epochs: the chapter's own runs have theirs; give it with --beyond")
      }
      return data ?? Chapter.defaultData()
    }
    // Servers may have different files: rank 0 decides for all.
    let name = try communicator.broadcastString(chosen, from: 0)
    var options = Chapter.options(data: name, seed: experiment.seed, shards: experiment.shards)
    options.arithmetic = arithmetic.name
    options.data.origin = origin.dataFrom
    let study = try communicator.agreeingOnErrors { try Chapter.study(exercise: exercise) }
    try experiment.runner(on: communicator).run(study, options)
  }

  private func run(_ beyond: Chapter.Beyond, on communicator: any Communicator) throws {
    try communicator.agreeingOnErrors {
      if let epochs, epochs < 1 {
        throw DistsgdError(.usage, "--epochs \(epochs): it should be 1 or more")
      }
      for (flag, isThere) in [("--exercise", exercise != nil), ("--shards", experiment.shards != nil)]
      where isThere {
        throw DistsgdError(
          .usage, "\(flag): --beyond \(beyond.rawValue) has runs of its own; leave one of them out")
      }
    }
    // Servers may have different files: rank 0 decides for all.
    let name = beyond.options(data: data, seed: experiment.seed).data.data
    let common = try communicator.broadcastString(name, from: 0)
    var options = beyond.options(data: common, seed: experiment.seed)
    options.arithmetic = arithmetic.name
    options.data.origin = origin.dataFrom
    if let epochs { options.epochs = epochs }
    try experiment.runner(on: communicator).run(beyond.study(ranks: communicator.worldSize), options)
  }
}

extension Chapter.Beyond: ExpressibleByArgument {}
