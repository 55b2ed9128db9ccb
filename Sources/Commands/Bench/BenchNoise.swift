import ArgumentParser
import Bench

struct BenchNoise: LocalBench {
  static let configuration = CommandConfiguration(
    commandName: "noise",
    abstract: "The standard deviation of the minibatch gradient for growing batches, and the noise scale.",
    discussion: """
      Compares minibatches drawn with and without replacement with the theory: √(tr(Σ)/b), and that times \
      √((N−b)/(N−1)). The weights are freshly drawn, or those of --initialize.
      """)

  @OptionGroup(title: "Data") var data: DataArguments
  @OptionGroup(title: "Model") var model: ModelArguments

  @Option(
    help: ArgumentHelp(
      "Batch sizes, by commas. (default: 1, 2, 4 … as far as it is quick)", valueName: "b,…"),
    transform: integers)
  var batches: [Int]?

  @Option(
    help: ArgumentHelp("Minibatches of each size. (default: 2000; 200 for large models)", valueName: "k"))
  var samples: Int?

  @Option(help: "Every random number is a function of this.")
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("BLAS threads.", valueName: "t"))
  var threads = 1

  @OptionGroup var output: BenchOutput

  func report() throws -> NoiseReport {
    var options = NoiseOptions()
    data.apply(to: &options.training)
    model.apply(to: &options.training)
    options.training.seed = seed
    options.training.threads = threads
    options.batches = batches
    options.samples = samples
    return try NoiseBench(options).run()
  }
}
