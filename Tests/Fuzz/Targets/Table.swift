// Text tables, with the options that choose among their columns.
import DataFormats
import MPI

func readTable(_ input: FuzzInput) throws {
  let path = input.file("table.csv")
  switch input.way(of: 12) {
  case 0: try load(path) { _ in }
  case 1: try load(path) { $0.task = .classification }
  case 2:
    try load(path) { ($0.features, $0.target, $0.standardize) = (["3", "2"], "1", false) }
  case 3: try load(path) { $0.validation = path }
  case 4: try load(path) { ($0.missing, $0.takesDates) = (.mean, true) }
  case 5: try load(path) { ($0.missing, $0.task, $0.header) = (.drop, .classification, .no) }
  case 6: try load(path) { ($0.missing, $0.validation, $0.header) = (.mean, path, .yes) }
  case 7:
    try load(path) {
      ($0.exclude, $0.identifier, $0.missingValues, $0.missing) = (["2-3"], "1", ["-9", "x"], .mean)
    }
  case 8: try load(path) { ($0.target, $0.missing) = ("1,2", .mean) }
  case 9: try describe(path)
  case 10: try predictTexts(path)
  default: try predict(path, featureCount: 2)
  }
}

/// Loads for training.
func load(_ data: String, _ change: (inout DataOptions) -> Void) throws {
  var options = DataOptions()
  options.data = data
  change(&options)
  let loaded = try loadData(options)
  try check(loaded.training)
  if let validation = loaded.validation { try check(validation) }
}

/// Loads for a model that takes the columns a and b, and was trained on the target y.
func predict(_ data: String, featureCount: Int) throws {
  let preprocessing = Preprocessing(
    featureNames: featureCount == 2 ? ["a", "b"] : [],
    featureMeans: Array(repeating: 0, count: featureCount),
    featureDeviations: Array(repeating: 1, count: featureCount), targetName: "y", targetMean: 0,
    targetDeviation: 1)
  let new = try loadForPrediction(data, preprocessing: preprocessing, featureCount: featureCount)
  try check(new.features, count: new.count * featureCount)
}

/// Loads for a model of texts, of numbers that may be missing, and of a date's month.
private func predictTexts(_ data: String) throws {
  let columns = [
    InputColumn(name: "a", encoding: .category(["x", "y"]), missing: .category("y")),
    InputColumn(name: "b", missing: .number(1)), InputColumn(name: "c.month", missing: .number(2)),
  ]
  let preprocessing = Preprocessing(
    columns: columns, targets: [TargetColumn(name: "y")], classNames: ["no", "yes"])
  let new = try loadForPrediction(data, preprocessing: preprocessing, featureCount: 4)
  try check(new.features, count: new.count * 4)
  _ = try new.examples(preprocessing: preprocessing, classCount: 2)
}

private func describe(_ data: String) throws {
  var options = DataOptions()
  options.data = data
  guard let table = try describeTable(options) else { return }
  guard table.columns.allSatisfy({ 0...table.rows ~= $0.missing }) else {
    throw Finding("more values are missing than there are rows")
  }
}

private func check(_ examples: Examples) throws {
  try check(examples.features, count: examples.count * examples.featureCount)
  let isRight =
    switch examples.targets {
    case .values(let values):
      values.count == examples.count * examples.targetCount && values.allSatisfy(\.isFinite)
    case .labels(let labels, let classCount):
      labels.count == examples.count && labels.allSatisfy { 0 <= $0 && $0 < classCount }
    }
  guard isRight else { throw Finding("the targets are not those of \(examples.count) examples") }
}

private func check(_ features: Examples.Features, count: Int) throws {
  let isRight =
    switch features {
    case .float32(let values): values.count == count && values.allSatisfy(\.isFinite)
    case .uint8(let bytes, _): bytes.count == count
    }
  guard isRight else { throw Finding("the inputs are not \(count) finite numbers") }
}
