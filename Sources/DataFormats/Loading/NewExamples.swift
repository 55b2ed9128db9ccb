// Raw new data for a model that has been trained: for `predict`, and for `evaluate` where it has targets.
import System
import Text

/// Inputs as a model takes them, and the targets in the file's own units where the file has them.
package struct NewExamples: Sendable {
  package var source: String
  package var count: Int
  package var featureCount: Int
  /// Preprocessed, shape (count, featureCount).
  package var features: Examples.Features
  /// Raw, shape (count, targetCount): class numbers, or values before standardisation.
  package var targets: [Double]?
  package var targetCount = 1
  /// The texts whose numbers the targets are.
  package var targetTexts: [String]?
  /// How much each example counts.
  package var weights: [Double]?
  /// What each example is called, shape (count), and the column's name.
  package var identifiers: [String]?
  package var identifierName = ""
  /// Lines for the user about what was assumed.
  package var notes: [String] = []

  /// The same with targets as the model was trained on, to evaluate it.
  ///
  /// - Parameter classCount: the model's number of classes; `nil` for regression.
  /// - Throws: `badData` when there are no targets, or one is not a class of the model.
  package func examples(
    preprocessing: Preprocessing, classCount: Int?
  ) throws(DistsgdError) -> Examples {
    guard let targets else {
      throw DistsgdError(.badData, "no targets, \(source): evaluation needs one for every example")
    }
    let values: Examples.Targets
    if let classCount {
      values = .labels(
        try Classes(names: preprocessing.classNames, count: classCount)
          .labels(of: targets, texts: targetTexts, source: source), classCount: classCount)
    } else {
      guard targetTexts == nil else {
        throw DistsgdError(
          .badData,
          "the target '\(printable(preprocessing.targetName))' of \(source) holds texts such as '\(printable(targetTexts?.first ?? ""))': the model predicts numbers; give a column of numbers of that name"
        )
      }
      let columns = preprocessing.targets
      guard targetCount == columns.count || columns.isEmpty else {
        throw DistsgdError(
          .badData,
          "\(counted(targetCount, "target")), \(source): the model predicts \(columns.count); give as many")
      }
      values = .values(
        targets.enumerated().map { place, value in
          columns.isEmpty
            ? Float(value)
            : Float((value - columns[place % targetCount].mean) / columns[place % targetCount].deviation)
        })
    }
    return Examples(
      count: count, featureCount: featureCount, features: features, targets: values,
      targetCount: classCount == nil ? targetCount : 1, weights: weights?.map { Float($0) })
  }
}

/// How raw new data are read, beside what the model tells.
package struct NewDataOptions: Sendable {
  /// Without, what stands in a table's target column does not matter.
  package var readsTargets = true
  package var header = HeaderChoice.auto
  /// Beside `NA` and the like, which the training took for missing values too.
  package var missingValues: [String] = []
  /// A column that is carried into the predictions.
  package var identifier: String?
  /// Whether it may be missing: the training had it.
  package var identifierIsOptional = false
  package var weight: String?
  /// What the images that the model was trained on were resized to, if they were.
  package var imageSize: ImageSize?

  package init() {}
}

/// Loads raw new data for a saved model.
///
/// In a table with a header the model's columns are found by name; without one, by position (the model's inputs
/// first, then perhaps the target), or by number when the file has the layout that the model was trained on.
/// `fashion-mnist`, an archive with `x_test` and a folder with `test/` mean their test splits.
///
/// - Parameters:
///   - data: a path, two paths, or a named set, as for `--data`.
///   - preprocessing: the saved model's.
///   - featureCount: the model's number of inputs.
/// - Throws: as `loadData`; `badData` when the inputs are not those of the model.
package func loadForPrediction(
  _ data: String, preprocessing: Preprocessing, featureCount: Int,
  _ options: NewDataOptions = NewDataOptions()
) throws(DistsgdError) -> NewExamples {
  guard preprocessing.inputCount == featureCount else {
    throw DistsgdError(
      .badData,
      "the model takes \(counted(featureCount, "input")), its preprocessing makes \(preprocessing.inputCount): the model file is damaged; copy it again"
    )
  }
  var source = try DataSource(data, flag: "--data")
  if case .fashionMNIST = source { source = .fashionMNIST(test: true) }
  guard source.isTable || options.identifier == nil || options.identifierIsOptional else {
    throw DistsgdError(
      .usage,
      "--id with --data \(printable(data, limit: 200)): only tables have columns to choose; leave it out")
  }
  let wishes = ColumnWishes(
    identifier: options.identifier, identifierIsOptional: options.identifierIsOptional, weight: options.weight
  )
  var raw = try source.read(
    ReadRequest(
      columns: .matching(preprocessing, wishes: wishes, readsTarget: options.readsTargets),
      header: options.header, missing: MissingWords(own: Set(options.missingValues)), needsTargets: false,
      pictures: PictureRequest(size: options.imageSize, inputs: featureCount)))
  guard raw.featureCount == preprocessing.columns.count else {
    throw DistsgdError(
      .badData,
      "\(counted(raw.featureCount, "input")), \(raw.source): the model takes \(preprocessing.columns.count)")
  }
  try raw.fill(preprocessing.columns.map(\.missing))
  try raw.requireComplete { onlyTargets in
    onlyTargets
      ? "a target that is to be compared with cannot be missing; leave its row out"
      : "the model knows no value that would stand there, because it was not trained with --missing mean; fill it in, or leave its row out"
  }
  var new = NewExamples(
    source: raw.source, count: raw.count, featureCount: featureCount, features: .float32([]),
    targets: options.readsTargets ? raw.targets : nil, targetCount: raw.targetCount,
    targetTexts: raw.targetTexts, weights: raw.weights, identifiers: raw.identifiers,
    identifierName: raw.identifierName)
  if let note = unknownNote(raw, preprocessing) { new.notes.append(note) }
  new.features = try inputs(raw, preprocessing).features
  return new
}
