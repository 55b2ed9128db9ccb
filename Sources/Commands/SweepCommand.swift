import ArgumentParser
import DistributedSGD
import Experiments
import MPI
import Runs
import System

struct SweepCommand: JobCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Train with every combination of some settings, or with settings that are drawn, and compare.",
    discussion: """
      Options of train. Several values are given by commas (--learning-rate 0.01,0.1 --seed 0,1,2), or, where a value may \
      have commas, by the option again (--optimizer sgd --optimizer adam:beta1=0.8); none is the option left out. With \
      --random values are drawn, also from ranges: --learning-rate 1e-4..1e-1. Without any, batches of 10, 100 and 1000 \
      are tried with rates of 0.01, 0.1 and 1. Runs are judged by their validation loss where there is --validation, \
      else by their training loss.
      """)

  @OptionGroup var train: TrainArguments

  @OptionGroup(title: "Sweep") var sweep: SweepArguments
  @OptionGroup(title: "Ranks") var start: StartArguments

  private struct Parsed {
    var command: SweepCommand
    var words: SweepWords
  }

  private static func parsed(_ words: [String]) throws -> Parsed {
    do {
      let command = try Self.parse(SweepWords.readable(words))
      return Parsed(command: command, words: try SweepWords(words, draws: command.sweep.random != nil))
    } catch {
      throw AgreedError(DistsgdError(.usage, Self.message(for: error)))
    }
  }

  func run(on communicator: any Communicator) throws {
    try start.requireNone()
    StandardStreams.outliveReaders()
    // What ArgumentParser has read are the first values.
    var words = Array(commandWords().drop { $0 != Self._commandName }.dropFirst())
    if let folder = sweep.resume {
      guard train.job.output == nil else {
        throw AgreedError(
          DistsgdError(.usage, "--output: a resumed sweep goes on in its own folder; leave it out"))
      }
      words = try SweepRequest.arguments(in: folder, over: communicator) + SweepWords.lasting(words)
    }
    let parsed = try Self.parsed(words)
    let sweep = parsed.command.sweep
    try communicator.agreeingOnErrors {
      try DecimalRange.targetLoss.check(sweep.targetLoss)
      try NumberRange.draws.check(sweep.random)
    }
    let plan = SweepPlan(
      axes: parsed.words.axes, draws: sweep.random, seed: parsed.command.train.training.seed)
    var request = SweepRequest(plan: plan, arguments: SweepWords.lasting(words)) { combination in
      let line = parsed.words.common + combination.flatMap { SweepWords.option($0.name, $0.word) }
      do { return try TrainArguments.parse(line).options } catch {
        throw DistsgdError(.usage, TrainArguments.message(for: error))
      }
    }
    request.output = self.sweep.resume ?? parsed.command.train.job.output
    request.resumes = self.sweep.resume != nil
    request.concurrent = self.sweep.concurrent
    request.targetLoss = sweep.targetLoss
    request.isQuiet = parsed.command.train.job.quiet
    request.writesEvents = parsed.command.train.job.tensorboard
    request.printsJSON = self.sweep.json
    try SweepRunner(request, on: communicator).run()
  }
}

struct SweepArguments: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Draw N combinations by the first --seed, instead of trying all.", valueName: "n"))
  var random: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Make K runs at a time, each on a part of the ranks.", valueName: "k"))
  var concurrent = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The loss to reach. (default: 2 % above the best final loss)", valueName: "loss"),
    transform: parseNumber)
  var targetLoss: Double?

  @Option(
    help: ArgumentHelp(
      "Go on with the sweep in DIR: what it has not tried yet, and what is added here.", valueName: "dir"))
  var resume: String?

  @Flag(help: "Print one JSON object a line.")
  var json = false
}
