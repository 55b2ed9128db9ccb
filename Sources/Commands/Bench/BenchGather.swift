import ArgumentParser
import Bench

struct BenchGather: LocalBench {
  static let configuration = CommandConfiguration(
    commandName: "gather",
    abstract: "How fast a batch's examples come together, against a plain copy.")

  @Option(help: ArgumentHelp("Examples of a batch.", valueName: "b"))
  var globalBatch = 128

  @OptionGroup var output: BenchOutput

  func report() throws -> GatherReport {
    var options = GatherOptions()
    options.batch = globalBatch
    return try GatherBench(options).run()
  }
}
