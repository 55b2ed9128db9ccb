// Raw new data for a model that has been trained: for `predict`, and for `evaluate` where it has targets.
import System

/// Inputs as a model takes them, and the targets in the file's own units where the file has them.
package struct NewExamples: Sendable {
  package var source: String
  package var count: Int
  package var featureCount: Int
  /// Preprocessed, shape (count, featureCount).
  package var features: Examples.Features
  /// Raw, shape (count): class numbers, or values before standardisation.
  package var targets: [Double]?

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
      values = try labels(
        from: targets, classCount: classCount, minimum: 0, source: source)
    } else {
      values = .values(
        targets.map { Float(($0 - preprocessing.targetMean) / preprocessing.targetDeviation) })
    }
    return Examples(count: count, featureCount: featureCount, features: features, targets: values)
  }
}

/// Loads raw new data for a saved model.
///
/// In a table with a header the model's columns are found by name; without one, by position (the model's inputs
/// first, then perhaps the target), or by number when the file has the layout that the model was trained on.
/// `fashion-mnist` means its test split.
///
/// - Parameters:
///   - data: a path, two paths, or a named set, as for `--data`.
///   - preprocessing: the saved model's.
///   - featureCount: the model's number of inputs.
///   - readsTargets: whether targets are wanted; without, what stands in a table's target column does not matter.
/// - Throws: as `loadData`; `badData` when the inputs are not those of the model.
package func loadForPrediction(
  _ data: String, preprocessing: Preprocessing, featureCount: Int, readsTargets: Bool = true
) throws(DistsgdError) -> NewExamples {
  guard preprocessing.inputCount == featureCount else {
    throw DistsgdError(
      .badData,
      "the model takes \(featureCount) inputs, its preprocessing makes \(preprocessing.inputCount): the model file is damaged"
    )
  }
  var source = try DataSource(data, flag: "--data")
  if case .fashionMNIST = source { source = .fashionMNIST(test: true) }
  let raw = try source.read(
    ReadRequest(
      columns: .matching(preprocessing, featureCount: featureCount, readsTarget: readsTargets),
      needsTargets: false))
  guard raw.featureCount == featureCount else {
    throw DistsgdError(
      .badData, "\(raw.featureCount) inputs, \(raw.source): the model takes \(featureCount)")
  }
  let (name, count, targets) = (raw.source, raw.count, raw.targets)
  return NewExamples(
    source: name, count: count, featureCount: featureCount, features: try inputs(raw, preprocessing),
    targets: targets)
}
