// Options that the commands with several runs share.
import ArgumentParser
import Experiments
import MPI

struct ExperimentArguments: ParsableArguments {
  @Option(help: "Every random number is a function of this.")
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "Cut every batch into V shards; equal V gives equal bits at any number of ranks. (default: 8, or the next power of two for more ranks)",
      valueName: "v"))
  var shards: Int?

  @Option(
    help: ArgumentHelp("The folder for figures and curves. (default: runs/<UTC time>)", valueName: "dir"))
  var output: String?

  @Flag(help: "Print one JSON object a line.")
  var json = false

  func runner(on communicator: any Communicator) -> StudyRunner {
    StudyRunner(output: output, printsJSON: json, communicator: communicator)
  }
}
