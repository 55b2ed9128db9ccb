import ArgumentParser
import DistributedSGD
import MPI

struct Train: JobCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model (the default command).",
    discussion: "Writes metrics.jsonl, timings.csv and model.safetensors to the run's folder.")

  @OptionGroup var train: TrainOptions

  func run(on communicator: any Communicator) throws {
    try TrainingRun(train.options, communicator: communicator).run()
  }
}
