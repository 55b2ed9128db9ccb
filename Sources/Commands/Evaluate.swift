import ArgumentParser
import DataFormats
import DistributedSGD
import MPI
import NeuralNet
import Runs
import System
import Text

struct Evaluate: JobCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell how good a saved model is on data with targets.",
    discussion: """
      Of classes: loss, accuracy, top-5, log loss, the area under the curve of two classes, precision, recall and \
      F1 of each class, and the confusion matrix. Of numbers: RMSE, MAE and R² in the target's own units.
      """)

  @OptionGroup var input: SavedModelArguments

  @Option(
    help: ArgumentHelp(
      "Write what predict prints to a file, and what would be right behind it.", valueName: "file.csv"))
  var predictions: String?

  @Option(
    help: ArgumentHelp(
      "A column of numbers from 0 up: how much each example counts.", valueName: "column"))
  var weight: String?

  @OptionGroup var origin: DataOriginArguments

  @Flag(help: "Print one JSON object.")
  var json = false

  func run(on communicator: any Communicator) throws {
    let predictor = try communicator.agreeingOnErrors {
      try input.predictor(weight: weight)
    }
    let (result, count) = try predictor.evaluate(
      input.data, from: origin.dataFrom, over: communicator)
    try communicator.agreeingOnErrors {
      guard communicator.rank == 0, let predictions else { return }
      try predictor.writePredictions(input.data, to: predictions)
    }
    guard communicator.rank == 0 else { return }
    let report = EvaluationReport(result, of: predictor.file, examples: count)
    standardOutput(json ? report.json : report.text)
  }
}

/// A saved model, and the data to use it on.
struct SavedModelArguments: ParsableArguments {
  @Option(help: ArgumentHelp("The model.safetensors of a run.", valueName: "file"))
  var model: String

  @Option(
    help: ArgumentHelp("A file, or a named set (fashion-mnist: its test split).", valueName: "name|path"))
  var data: String

  @Option(
    help: ArgumentHelp(
      "A column that names the examples. (default: the one of the training, if it is there)",
      valueName: "column"))
  var id: String?

  @OptionGroup var reading: TableReadingArguments

  @OptionGroup var arithmetic: ArithmeticArguments

  /// The model, and how the data are read for it.
  func predictor(weight: String? = nil) throws -> Predictor {
    var options = NewDataOptions()
    options.header = reading.header
    options.missingValues = reading.missingValues
    options.identifier = id
    options.weight = weight
    return try Predictor(model: model, arithmetic: arithmetic.name, options)
  }
}
