import ArgumentParser
import Bench
import NeuralNet

struct BenchUpdate: LocalBench {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Update rules over an arena in memory: bytes moved against STREAM's triad, on one core.")

  @Option(
    help: ArgumentHelp(
      "A rule to measure; may be there several times. (default: sgd, sgd with momentum, adam)",
      valueName: "rule"),
    transform: parseOptimizer)
  var optimizer: [any Optimizer] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Parameters of the arena. (default: as many as no cache holds)", valueName: "n"))
  var parameters: Int?

  @OptionGroup var output: BenchOutput

  func report() throws -> UpdateReport {
    var options = UpdateOptions()
    if !optimizer.isEmpty { options.optimizers = optimizer }
    options.parameters = parameters
    return try UpdateBench(options).run()
  }
}
