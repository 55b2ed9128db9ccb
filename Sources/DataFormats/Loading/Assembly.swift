// From raw columns to what is trained on: cut, hold out, standardise, label.
import System
import Text

/// A byte's share of the input 1, as the scale of byte features.
package let byteScale = Float(1) / 255

/// Builds the training and validation examples that the options ask for.
///
/// - Parameter validation: other raw examples to validate on; `nil` for a fraction or none.
func assemble(
  _ source: consuming RawExamples, _ options: DataOptions, validation other: RawExamples?
) throws(DistsgdError) -> LoadedData {
  var raw = source
  let isClassification = options.task.map { $0 == .classification } ?? raw.isLabelled
  if options.standardize == true, raw.kind == .images {
    throw DistsgdError(
      .usage, "--standardize with images, \(raw.source): pixels are scaled to [0, 1]; leave the flag out")
  }
  guard isClassification || raw.classNames == nil else {
    throw DistsgdError(
      .usage,
      "the targets are classes with names, \(raw.source), and model, loss or task ask for numbers: use --model softmax or mlp:256,128 with --loss cross-entropy"
    )
  }
  raw = try cut(raw, to: options.examples)
  raw.dropEmptyClasses()

  var training = raw
  var held = other
  try held?.number(as: raw.classNames)
  if other == nil, let text = options.validation {
    let fraction = try validationFraction(text)
    try requireMemory(bytes: raw.bytes(rows: raw.count), for: raw.source)
    let (kept, chosen) = try holdOut(fraction, of: raw.count, seed: options.seed)
    held = raw.selecting(chosen)
    training = raw.selecting(kept)
  }
  guard let targets = raw.targets else {
    throw DistsgdError(.badData, "no targets, \(raw.source): training needs one for every example")
  }
  var classCount: Int?
  if isClassification {
    let all = try labels(
      from: targets, classCount: nil, minimum: raw.minimumClassCount, source: raw.source)
    if case .labels(_, let count) = all { classCount = count }
  }
  let (sourceName, count, kind) = (raw.source, raw.count, raw.kind)
  let isByteImage = raw.isByteInput && options.standardize != true
  raw.features = .floats([])  // The training rows live on in `training` alone.

  let statistics: ColumnStatistics
  if options.standardize ?? training.standardizesByDefault {
    if let fixed = training.fixedStatistics {
      statistics = fixed
    } else {
      statistics = try ColumnStatistics(of: training, includesTarget: !isClassification)
    }
  } else {
    statistics = .identity(featureCount: training.featureCount, deviation: isByteImage ? 255 : 1)
  }
  var preprocessing = Preprocessing(
    featureNames: training.featureNames, featureMeans: statistics.means,
    featureDeviations: statistics.deviations, targetName: training.targetName,
    targetMean: isClassification ? 0 : statistics.targetMean,
    targetDeviation: isClassification ? 1 : statistics.targetDeviation)
  preprocessing.classNames = training.classNames
  let (classifier, note) = (training.classifier, training.note)
  let featureCount = training.featureCount
  let trainingExamples = try examples(training, preprocessing, classCount: classCount)
  let validation: Examples?
  if let held {
    validation = try examples(held, preprocessing, classCount: classCount)
  } else {
    validation = nil
  }
  return LoadedData(
    summary: summary(
      sourceName, kind, rows: count, columns: featureCount, classCount: classCount,
      training: trainingExamples.count, validation: validation?.count) + (note.map { "; \($0)" } ?? ""),
    training: trainingExamples, validation: validation, preprocessing: preprocessing,
    defaultModel: isClassification ? classifier : .linear)
}

/// Raw rows as a model's inputs and targets, shape (count, featureCount) and (count).
///
/// - Throws: `badData` for a number that Float cannot hold, or a label that is none of `classCount`.
func examples(
  _ raw: consuming RawExamples, _ preprocessing: Preprocessing, classCount: Int?
) throws(DistsgdError) -> Examples {
  let (count, featureCount, shape, source) = (raw.count, raw.featureCount, raw.exampleShape, raw.source)
  let mapped = raw.mapped
  guard let rawTargets = raw.targets else {
    throw DistsgdError(.badData, "no targets, \(source): expected one for every example")
  }
  try requireMemory(
    bytes: 4 * Double(count) * ((mapped == nil ? Double(featureCount) : 0) + 1), for: source)
  let targets: Examples.Targets
  if let classCount {
    targets = try labels(from: rawTargets, classCount: classCount, minimum: 0, source: source)
  } else {
    let (values, overflow) = standardized(
      rawTargets,
      ColumnStatistics(means: [preprocessing.targetMean], deviations: [preprocessing.targetDeviation]))
    if let overflow { throw tooLarge(rawTargets[overflow], source, "target", overflow) }
    targets = .values(values)
  }
  let features = try inputs(raw, preprocessing)
  var result = Examples(
    count: count, featureCount: featureCount, exampleShape: shape, features: features,
    targets: targets)
  result.mapped = mapped
  return result
}

/// Raw inputs as a model's: bytes stay bytes where the model takes them scaled by 1/255.
func inputs(
  _ raw: consuming RawExamples, _ preprocessing: Preprocessing
) throws(DistsgdError) -> Examples.Features {
  let statistics = ColumnStatistics(preprocessing)
  let isUnshifted = statistics.means.allSatisfy { $0 == 0 }
  let result: (values: [Float], overflow: Int?)
  switch raw.features {
  case .bytes(let bytes):
    if isUnshifted, statistics.deviations.allSatisfy({ $0 == 255 }) {
      return .uint8(bytes, scale: byteScale)
    }
    result = standardized(bytes, statistics)
  case .floats(let values):
    if isUnshifted, statistics.deviations.allSatisfy({ $0 == 1 }) { return .float32(values) }
    result = standardized(values, statistics)
  case .doubles(let values):
    result = standardized(values, statistics)
    if let overflow = result.overflow {
      let (row, column) = overflow.quotientAndRemainder(dividingBy: raw.featureCount)
      throw tooLarge(values[overflow], raw.source, raw.columnName(column), row)
    }
  }
  if let overflow = result.overflow {
    let (row, column) = overflow.quotientAndRemainder(dividingBy: raw.featureCount)
    throw tooLarge(nil, raw.source, raw.columnName(column), row)
  }
  return .float32(result.values)
}

extension RawExamples {
  var isByteInput: Bool {
    if case .bytes = features { return kind != .table }
    return false
  }
}

private func tooLarge(_ value: Double?, _ source: String, _ column: String, _ row: Int) -> DistsgdError {
  DistsgdError(
    .badData,
    "\(value.map { String($0) } ?? "a number") is too large for single precision, \(source) example \(row + 1), \(column): rescale the column"
  )
}

/// The first `examples` rows.
private func cut(_ raw: consuming RawExamples, to examples: Int?) throws(DistsgdError) -> RawExamples {
  guard let examples else {
    let rows = raw.defaultExamples ?? raw.count
    return raw.prefix(rows)
  }
  guard examples >= 1, examples <= raw.count else {
    throw DistsgdError(
      .usage, "--examples \(examples), \(raw.source) has \(raw.count): give 1 to \(raw.count)")
  }
  try requireMemory(bytes: raw.bytes(rows: examples), for: raw.source)
  return raw.prefix(examples)
}

private func summary(
  _ source: String, _ kind: RawExamples.Kind, rows: Int, columns: Int, classCount: Int?, training: Int,
  validation: Int?
) -> String {
  let inputs = kind == .images ? "pixels" : columns == 1 ? "feature" : "features"
  let what = classCount.map { "\($0) classes" } ?? "1 target"
  let held = validation.map { ", \($0) for validation" } ?? ""
  return "\(source): \(training) training examples\(held), \(columns) \(inputs), \(what)"
}
