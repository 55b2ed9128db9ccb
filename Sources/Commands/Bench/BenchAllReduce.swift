import ArgumentParser
import Bench
import MPI

extension AllReduceOptions.Gradients: ExpressibleByArgument {}

struct BenchAllReduce: JobCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce",
    abstract:
      "The reduction and the update of a step, against MPI_Allreduce alone and a copy of the same bytes.",
    discussion: "Run it under mpirun; one process has nothing to reduce, and times the update.")

  @Option(help: ArgumentHelp("Gradients in floats, by commas.", valueName: "n,…"), transform: integers)
  var sizes = AllReduceOptions().sizes

  @Option(
    help: ArgumentHelp(
      "kept: the same before each operation; written: written by their rank before each, as in training.",
      valueName: "kept|written"))
  var gradients = AllReduceOptions.Gradients.kept

  @Option(parsing: .unconditional, help: ArgumentHelp("Rounds of each operation.", valueName: "n"))
  var rounds = 9

  @OptionGroup var output: BenchOutput

  func run(on communicator: any Communicator) throws {
    var options = AllReduceOptions()
    options.sizes = sizes
    options.gradients = gradients
    options.rounds = rounds
    try output.publish(on: communicator) { try AllReduceBench(options).run(on: communicator) }
  }
}
