import ArgumentParser
import Bench
import MPI

struct BenchStep: JobCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract:
      "The time of a training step by phases, against its sgemm calls and against its operations alone.",
    discussion: """
      Runs alone or under mpirun. Blocks of steps, of the sgemm calls of every rank's shards and of as many \
      operations in registers alone take turns; with more shards than ranks, blocks of steps with one shard a rank do too.
      """)

  @OptionGroup(title: "Data") var data: DataArguments
  @OptionGroup(title: "Model") var model: ModelArguments

  @Option(parsing: .unconditional, help: ArgumentHelp("Examples per update, over all ranks.", valueName: "b"))
  var globalBatch = 128

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Cut every batch into V shards. (default: as train)", valueName: "v"))
  var shards: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Examples of one forward and backward pass. (default: a shard)", valueName: "m"))
  var microBatch: Int?

  @Option(
    name: [.long, .customLong("lr")], parsing: .unconditional,
    help: ArgumentHelp(
      "The step size η. (default: 0.0001, which no batch diverges with; its value costs no time)",
      valueName: "η"),
    transform: parseNumber)
  var learningRate: Double?

  @Option(parsing: .unconditional, help: "Every random number is a function of this.")
  var seed: UInt64 = 0

  @Option(parsing: .unconditional, help: ArgumentHelp("BLAS threads of a rank.", valueName: "t"))
  var threads = 1

  @Option(parsing: .unconditional, help: ArgumentHelp("Blocks of each kind.", valueName: "n"))
  var rounds = 21

  @OptionGroup var output: BenchOutput

  func run(on communicator: any Communicator) throws {
    var options = StepOptions()
    data.apply(to: &options.training)
    model.apply(to: &options.training)
    options.training.globalBatch = globalBatch
    options.training.shards = shards
    options.training.microBatch = microBatch
    options.training.learningRate = learningRate ?? 0.0001
    options.training.seed = seed
    options.training.threads = threads
    options.rounds = rounds
    try output.publish(on: communicator) { try StepBench(options).run(on: communicator) }
  }
}
