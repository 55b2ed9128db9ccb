// Which model a run ends with, as ArgumentParser sees it.
import ArgumentParser
import Runs

struct AverageArguments: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Stop when the validation loss has not improved in so many evaluations.", valueName: "n"))
  var earlyStopping: Int?

  @Flag(help: "End with the model of the best validation loss, and not with the last.")
  var keepBest = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Evaluate and save an average of the parameters that keeps so much of itself at every step.",
      valueName: "decay"), transform: parseNumber)
  var ema: Double?

  @Flag(help: "Evaluate and save the mean of the parameters at the ends of epochs.")
  var swa = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The first epoch of --swa's mean. (default: 1)", valueName: "epoch"))
  var swaFrom: Int?

  func apply(to options: inout TrainingOptions) {
    options.earlyStopping = earlyStopping
    options.keepsBest = keepBest
    options.averageDecay = ema
    options.averagesEpochs = swa
    options.averagesFrom = swaFrom
  }
}
