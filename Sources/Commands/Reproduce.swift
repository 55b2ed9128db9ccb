import ArgumentParser
import DataFormats
import DistributedSGD
import MPI
import Runs
import System
import Text

struct Reproduce: JobCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a saved model again, and prove that the same bits come of it.",
    discussion: """
      The model's file tells how it was made. The job may have any number of ranks up to the model's shards; \
      it writes no files. For the folder of a run with --log-hashes the first step that differs is told.
      """)

  @Argument(help: ArgumentHelp("A model.safetensors, or the folder of a run.", valueName: "model|run"))
  var model: String

  @Option(
    help: ArgumentHelp("Where the data are now. (default: where they were)", valueName: "name|path"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Who reads the data: each, the first rank of each server, or rank0, for all. (default: as in the run)",
      valueName: "each|rank0"))
  var dataFrom: DataOrigin?

  @Option(
    help: ArgumentHelp(
      "Where the weights are now that the run began with. (default: where they were)",
      valueName: "file.safetensors"))
  var initialize: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func run(on communicator: any Communicator) throws {
    StandardStreams.outliveReaders()
    let record = try ModelRecord(model, communicator: communicator)
    var options = try communicator.agreeingOnErrors {
      try record.options({ try Train.parse($0).options }, reason: { reason($0) })
    }
    if let data { options.data.data = data }
    if let dataFrom { options.data.origin = dataFrom }
    if let initialize {
      guard options.initialize != nil else {
        throw AgreedError(
          DistsgdError(
            .usage, "--initialize: the run of '\(record.path)' began with weights of its own; leave it out"))
      }
      options.initialize = initialize
    }
    let outcome = try Reproduction(record, options, communicator: communicator).train()
    guard communicator.rank == 0 else { return }
    if json {
      var line = JSONLine()
      line["reproduced"] = true
      line["parameters"] = outcome.parameters
      line["hash"] = outcome.hash
      line["steps"] = outcome.steps
      line["ranks"] = communicator.worldSize
      standardOutput(line.description)
    } else {
      standardOutput(
        "reproduced, bit for bit: \(grouped(outcome.parameters)) parameters, hash \(outcome.hash)")
    }
  }

  /// What ArgumentParser says of a word, in one line.
  private func reason(_ error: any Error) -> String {
    var text = Train.message(for: error).split(separator: "\n").joined(separator: " ")
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }
}
