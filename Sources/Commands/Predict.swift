import ArgumentParser
import DistributedSGD
import MPI
import Runs
import System

struct Predict: JobCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a saved model's predictions for raw new data, as CSV.",
    discussion: """
      A row for every example: the prediction in the target's own units, or the class and the probability of \
      every class. The data's targets, if there are any, are not used.
      """)

  @OptionGroup var input: SavedModelArguments

  func run(on communicator: any Communicator) throws {
    try communicator.agreeingOnErrors {
      guard communicator.rank == 0 else { return }
      try input.predictor().predict(input.data, emit: writeResult)
    }
  }
}
