import ArgumentParser
import DistributedSGD
import MPI
import Runs
import System

struct Train: JobCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model (the default command).",
    discussion: "Writes metrics.jsonl, timings.csv and model.safetensors to the run's folder.")

  @OptionGroup var train: TrainArguments
  @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointArguments
  @OptionGroup(title: "Ranks") var start: StartArguments

  @OptionGroup(title: "Timeline") var trace: TraceArguments

  var options: TrainingOptions {
    var options = train.options
    checkpoints.apply(to: &options)
    trace.apply(to: &options)
    return options
  }

  func run(on communicator: any Communicator) throws {
    try start.requireNone()
    StandardStreams.outliveReaders()
    let run =
      if let folder = checkpoints.resume {
        try resume(folder, communicator)
      } else {
        try TrainingRun(options, communicator: communicator)
      }
    try run?.run()
  }

  /// What goes together on neither command line may be a mistake on both.
  private func parsed(_ arguments: [String]) throws -> TrainingOptions {
    do { return try Self.parse(arguments).options } catch {
      throw AgreedError(DistsgdError(.usage, Self.message(for: error)))
    }
  }

  /// The run's own command line comes first, this one's words after it: the last of a flag counts.
  /// - Returns: nil when the run is finished.
  private func resume(_ folder: String, _ communicator: any Communicator) throws -> TrainingRun? {
    guard train.job.output == nil else {
      throw AgreedError(
        DistsgdError(.usage, "--output: a resumed run goes on in its own folder; leave it out"))
    }
    let resumption = try Resumption(folder, communicator: communicator)
    var words = commandWords()[...]
    if words.first == Self._commandName { words = words.dropFirst() }
    let options = try parsed(resumption.arguments + words)
    if let end = try communicator.agreeingOnErrors({ try resumption.end(for: options) }) {
      if communicator.rank == 0 { standardOutput(end) }
      return nil
    }
    return try TrainingRun(
      options, resuming: resumption, checkpoints.allowances, communicator: communicator)
  }
}
