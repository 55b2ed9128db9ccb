import ArgumentParser
import Bench

struct BenchRoofline: LocalBench {
  static let configuration = CommandConfiguration(
    commandName: "roofline",
    abstract: "This machine's peak arithmetic and memory bandwidth, and where dot, gemv and gemm stand.")

  @Option(
    help: ArgumentHelp("Sizes of dot, gemv and gemm, by commas.", valueName: "n,…"), transform: integers)
  var sizes = [32, 128, 512, 2048]

  @OptionGroup var output: BenchOutput

  func report() throws -> RooflineReport {
    var options = RooflineOptions()
    options.sizes = sizes
    return try RooflineBench(options).run()
  }
}
