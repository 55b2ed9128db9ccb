import ArgumentParser
import DistributedSGD
import MPI
import Planning
import Runs
import System

struct PlanCommand: JobCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Predict how fast a run is on more ranks and servers, and which batch is worth it.",
    discussion: """
      Takes the options of train. Measures steps for some seconds: alone with a rank on each core of this machine, or on \
      the ranks that --ranks, --hosts or mpirun start, whose network it measures too. docs/planning.md has the formulas.
      """)

  @OptionGroup(title: "Plan") var plan: PlanArguments
  @OptionGroup(title: "Ranks") var start: StartArguments
  @OptionGroup var train: TrainArguments
  // What a run's command line and its config.yaml may have besides; nothing is kept of a plan's steps.
  @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointArguments
  @OptionGroup(title: "Timeline") var trace: TraceArguments

  func run(on communicator: any Communicator) throws {
    let options = try communicator.agreeingOnErrors { () -> PlanOptions in
      if start.ranks != "1" { try start.mustBeNone() }
      guard checkpoints.resume == nil else {
        throw DistsgdError(.usage, "--resume: a plan trains nothing that could go on; leave it out")
      }
      let options = plan.options(of: train.options)
      try options.validate()
      return options
    }
    let isFirst = communicator.rank == 0
    let runs = try communicator.agreeingOnErrors {
      isFirst ? try plan.against.map { try RunFacts($0, flag: "--against") } : []
    }
    // What they cannot tell is said before anything is measured.
    let run = try communicator.agreeingOnErrors {
      let run = isFirst ? try plan.from.map { try RunFacts($0, flag: "--from") } : nil
      _ = try run?.statistics(target: plan.targetLoss)
      return run
    }
    let loaded = try communicator.agreeingOnErrors {
      isFirst ? try plan.load.map(MeasuredPlan.init(loading:)) : nil
    }
    if plan.load == nil, options.simulated?.rate == nil, start.ranks == nil, communicator.worldSize == 1,
      Launcher.find(in: currentEnvironment()) == .none
    {
      try StartArguments.startOnAllCores()
    }
    let files = try communicator.agreeingOnErrors {
      isFirst ? try train.job.output.map(ReportFiles.init(creating:)) : nil
    }
    let measured =
      plan.load == nil ? try PlanMeasurement(options, over: communicator).run() : loaded
    try communicator.agreeingOnErrors {
      guard isFirst, let measured else { return }
      try Plan(measured, options, from: run, against: runs).publish(asJSON: plan.json, to: files)
    }
  }
}

/// What only `plan` has.
struct PlanArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Servers of the table, by commas. (default: one; of a job of several, up to 8 times as many)",
      valueName: "s,…"), transform: integers)
  var servers: [Int]?

  @Option(
    help: ArgumentHelp(
      "Ranks of each server of the table, by commas. (default: 1, 2, 4 … to its cores)", valueName: "r,…"),
    transform: integers)
  var localRanks: [Int]?

  @Option(
    help: ArgumentHelp(
      "Global batches of the table, by commas. (default: --global-batch, and 2, 4 and 8 times as much)",
      valueName: "b,…"), transform: integers)
  var batches: [Int]?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Measure for so long.", valueName: "seconds"),
    transform: parseNumber)
  var seconds = PlanOptions().seconds

  @Option(
    help: ArgumentHelp(
      "A run that tells of the gradient noise scale, and of the steps to a loss.", valueName: "run"))
  var from: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The loss to reach. (default: the final loss of --from)", valueName: "loss"),
    transform: parseNumber)
  var targetLoss: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The gradient noise scale. (default: measured in some steps)", valueName: "examples"),
    transform: parseNumber)
  var noiseScale: Double?

  @Option(
    help: ArgumentHelp(
      "A network that is not here: \(SimulatedJob.forms).", valueName: "latency=…,bandwidth=…,servers=…"),
    transform: parseSimulation)
  var simulate: SimulatedJob?

  @Option(
    help: ArgumentHelp(
      "A run whose steps are shown beside their prediction; may come several times.", valueName: "run"))
  var against: [String] = []

  @Option(
    help: ArgumentHelp("Use the measurements of an earlier plan's --output.", valueName: "plan.json"))
  var load: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func options(of training: TrainingOptions) -> PlanOptions {
    var options = PlanOptions()
    options.training = training
    options.servers = servers
    options.ranks = localRanks
    options.batches = batches
    options.seconds = seconds
    options.simulated = simulate
    options.noiseScale = noiseScale
    options.run = from
    options.targetLoss = targetLoss
    return options
  }
}

/// `--simulate`'s value.
private func parseSimulation(_ text: String) throws -> SimulatedJob {
  do { return try SimulatedJob(text) } catch { throw ValidationError(error.description) }
}
