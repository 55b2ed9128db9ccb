// What a user is told about the data that are read: the summary, and a line for everything that was assumed.
import System
import Text

/// The line about a data set.
struct Summary {
  var source: String
  /// How a file was read.
  var layout: String
  var kind: RawExamples.Kind
  var columns: Int
  var inputs: Int
  var targets: Int
  var classes: Int?

  func text(training: Int, validation: Int?) -> String {
    let word = kind == .images ? "pixels" : columns == 1 ? "feature" : "features"
    let encoded = inputs == columns ? "" : " as \(inputs) input\(inputs == 1 ? "" : "s")"
    let what = classes.map { "\($0) classes" } ?? (targets == 1 ? "1 target" : "\(targets) targets")
    let held = validation.map { ", \($0) for validation" } ?? ""
    let read = layout.isEmpty ? "" : "; \(layout)"
    return
      "\(source): \(training) training example\(training == 1 ? "" : "s")\(held), \(columns) \(word)\(encoded), \(what)\(read)"
  }
}

/// Whether the targets are classes: as the user says, or where they are texts.
/// - Throws: `usage` where he wants numbers of texts, or classes of several targets.
func isClassification(_ raw: RawExamples, _ task: DataOptions.Task?) throws(DistsgdError) -> Bool {
  switch task {
  case .regression:
    if raw.targetTexts != nil { throw textTarget(raw) }
    return false
  case .classification:
    guard raw.targetCount == 1 else {
      throw DistsgdError(
        .usage,
        "\(raw.targetCount) targets of classes, \(raw.source): there can be one, which --target names; several are predicted as numbers, with --task regression"
      )
    }
    return true
  case nil: return raw.isLabelled
  }
}

func textTarget(_ raw: RawExamples) -> DistsgdError {
  DistsgdError(
    .usage,
    "the target '\(printable(raw.targetName))' of \(raw.source) holds texts such as '\(printable(raw.targetTexts?.first ?? ""))', which are classes: use --task classification with --model softmax or mlp:256,128, or name a column of numbers with --target"
  )
}

/// Whole numbers of a few values may be classes, which nobody can tell but the user.
func numbersNote(_ raw: RawExamples, _ options: DataOptions, _ isClassification: Bool) -> String? {
  guard !isClassification, options.task == nil, raw.kind == .table, raw.targetCount == 1,
    let targets = raw.targets
  else { return nil }
  var values: Set<Double> = []
  for value in targets {
    guard value == value.rounded() else { return nil }
    values.insert(value)
    if values.count > 20 { return nil }
  }
  guard values.count > 1, targets.count >= 3 * values.count else { return nil }
  let shown = values.sorted().prefix(4).map(shortest).joined(separator: ", ")
  return
    "the target '\(printable(raw.targetName))' of \(raw.source) has \(values.count) different values (\(shown)\(values.count > 4 ? ", …" : "")), which look like classes and are taken as numbers: --task classification takes them as classes, --task regression leaves this line out"
}

/// Texts that no training row has.
func unknownNote(_ raw: RawExamples, _ model: Preprocessing) -> String? {
  let found = raw.unknownTexts(model)
  guard !found.isEmpty else { return nil }
  let places = found.prefix(4).map { column, count, text in
    "\(grouped(count)) such as '\(printable(text))' in \(raw.columnName(column))"
  }.joined(separator: ", ")
  let total = found.reduce(0) { $0 + $1.count }
  return
    "\(grouped(total)) text\(total == 1 ? "" : "s") of \(raw.source) that the model was not trained on \(total == 1 ? "is" : "are") taken as none of those that it knows: \(places)"
}

/// - Throws: `badData` for values that are missing, where nothing was to be done about them.
func requireComplete(_ raw: RawExamples, _ choice: MissingChoice) throws(DistsgdError) {
  guard choice == .error else { return }
  try raw.requireComplete { onlyTargets in
    onlyTargets
      ? "--missing drop leaves their rows out; or fill them in"
      : "--missing mean fills them in, --missing drop leaves their rows out, --exclude leaves their columns out"
  }
}
