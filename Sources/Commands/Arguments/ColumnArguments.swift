// How a table is read and what its columns are, as ArgumentParser sees it.
import ArgumentParser
import DataFormats

extension HeaderChoice: ExpressibleByArgument {}
extension MissingChoice: ExpressibleByArgument {}

/// `--task`'s values.
enum TaskArgument: String, ExpressibleByArgument, CaseIterable {
  case auto, regression, classification
}

/// `--dates`' values.
enum DatesArgument: String, ExpressibleByArgument, CaseIterable {
  case refuse, parts
}

/// How a table's text is taken, to train on it and to use a model on it.
struct TableReadingArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Whether a table's first row names its columns: auto, yes or no.", valueName: "auto|yes|no"))
  var header = HeaderChoice.auto

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Fields that mean a missing value beside NA, ? and the like, by commas.", valueName: "words"))
  var missingValue: [String] = []

  var missingValues: [String] { missingValue.flatMap(ColumnList.parse) }
}

struct ColumnArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The column to predict, or several of numbers, by commas. (default: the last)", valueName: "columns"))
  var target: String?

  @Option(
    help: ArgumentHelp(
      "The input columns by commas: names, numbers, ranges of these such as 2-13. (default: all others)",
      valueName: "columns"))
  var features: String?

  @Option(help: ArgumentHelp("Columns that are no inputs.", valueName: "columns"))
  var exclude: String?

  @Option(
    help: ArgumentHelp("A column that is carried into predictions and is no input.", valueName: "column"))
  var id: String?

  @Option(
    help: ArgumentHelp(
      "A column of numbers from 0 up: how much each example counts.", valueName: "column"))
  var weight: String?

  @Option(
    help: ArgumentHelp(
      "What the target is: regression, classification, or auto: texts are classes.", valueName: "task"))
  var task = TaskArgument.auto

  @OptionGroup var reading: TableReadingArguments

  @Option(
    help: ArgumentHelp(
      "What is done about missing values: error; drop their rows; or mean: fill in the mean, or the most frequent text.",
      valueName: "error|drop|mean"))
  var missing = MissingChoice.error

  @Option(
    help: ArgumentHelp(
      "Columns of dates: refuse them, or make parts of them: year, month, day, weekday, hour, minute.",
      valueName: "refuse|parts"))
  var dates = DatesArgument.refuse

  func apply(to options: inout DataOptions) {
    options.target = target
    options.features = features.map(ColumnList.parse)
    options.exclude = exclude.map(ColumnList.parse)
    options.identifier = id
    options.weight = weight
    switch task {
    case .auto: break
    case .regression: options.task = .regression
    case .classification: options.task = .classification
    }
    options.header = reading.header
    options.missing = missing
    options.missingValues = reading.missingValues
    options.takesDates = dates == .parts
  }
}
