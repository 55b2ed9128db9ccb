// What is trained on, as ArgumentParser sees it.
import ArgumentParser
import DataFormats
import Runs

struct DataArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "airfoil-like, airfoil, fashion-mnist, synthetic:N,D, or a file: .csv .tsv .dat .txt .npy .npz, IDX or IDX.gz.",
      valueName: "name|path"))
  var data = "airfoil-like"

  @OptionGroup var columns: ColumnArguments

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Take the first N examples. (default: all; 1500 of airfoil, as the chapter)", valueName: "n"))
  var examples: Int?

  @Option(
    help: ArgumentHelp(
      "Evaluate on held-out data: a fraction, a file, or 'test', the named set's own test split.",
      valueName: "fraction|path|test"))
  var validation: String?

  @Flag(
    inversion: .prefixedNo, exclusivity: .chooseLast,
    help: "Give every column mean 0 and deviation 1. (default: on for tables)")
  var standardize: Bool?

  func apply(to options: inout TrainingOptions) {
    options.data.data = data
    columns.apply(to: &options.data)
    options.data.examples = examples
    options.data.validation = validation
    options.data.standardize = standardize
  }
}
