// From raw columns to what is trained on: cut, hold out, fill in, standardise, label.
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
  let isClassification = try isClassification(raw, options.task)
  if options.standardize == true, raw.kind == .images {
    throw DistsgdError(
      .usage, "--standardize with images, \(raw.source): pixels are scaled to [0, 1]; leave the flag out")
  }
  guard raw.targets != nil else {
    throw DistsgdError(.badData, "no targets, \(raw.source): training needs one for every example")
  }
  raw = try raw.droppingIncomplete(options.missing)
  raw = try cut(raw, to: options.examples)
  try requireComplete(raw, options.missing)

  var training = raw
  var held = other
  held = try held?.droppingIncomplete(options.missing)
  if let held { try requireComplete(held, options.missing) }
  if other == nil, let text = options.validation {
    let fraction = try validationFraction(text)
    try requireMemory(bytes: raw.bytes(rows: raw.count), for: raw.source)
    let (kept, chosen) = try holdOut(fraction, of: raw.count, seed: options.seed)
    held = try raw.selecting(chosen)
    training = try raw.selecting(kept)
  }
  let isByteImage = raw.isByteInput && options.standardize != true
  raw.features = .floats([])  // The training rows live on in `training` alone.

  var notes = raw.notes
  var fills: [InputColumn.Fill?] = [InputColumn.Fill?](repeating: nil, count: training.featureCount)
  if options.missing == .mean, case .doubles = training.features {
    fills = training.fills(&notes)
    try training.fill(fills)
    try held?.fill(fills)
  }
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
  let classes = isClassification ? try Classes(of: training) : nil
  let preprocessing = Preprocessing(
    columns: inputColumns(training, statistics, fills),
    targets: (0..<training.targetCount).map { target in
      TargetColumn(
        name: target < training.targetNames.count ? training.targetNames[target] : "",
        mean: isClassification || statistics.targetMeans.isEmpty ? 0 : statistics.targetMeans[target],
        deviation: isClassification || statistics.targetDeviations.isEmpty
          ? 1 : statistics.targetDeviations[target])
    }, classNames: classes?.names)
  if let note = numbersNote(training, options, isClassification) { notes.append(note) }
  let kind = raw.kind
  let words = Summary(
    source: raw.source, layout: raw.layout, kind: kind, columns: training.featureCount,
    inputs: preprocessing.inputCount, targets: training.targetCount, classes: classes?.count)
  let classifier = training.classifier
  let trainingExamples = try examples(training, preprocessing, classCount: classes?.count)
  let validation: Examples?
  if let held {
    if let note = unknownNote(held, preprocessing) { notes.append(note) }
    validation = try examples(held, preprocessing, classCount: classes?.count)
  } else {
    validation = nil
  }
  return LoadedData(
    summary: words.text(training: trainingExamples.count, validation: validation?.count),
    training: trainingExamples, validation: validation, preprocessing: preprocessing,
    defaultModel: isClassification ? classifier : .linear, notes: notes)
}

/// Raw rows as a model's inputs and targets.
///
/// - Throws: `badData` for a number that Float cannot hold, or a label that is none of `classCount`.
func examples(
  _ raw: consuming RawExamples, _ preprocessing: Preprocessing, classCount: Int?
) throws(DistsgdError) -> Examples {
  let (count, shape, source, targetCount) = (raw.count, raw.exampleShape, raw.source, raw.targetCount)
  let inputCount = preprocessing.inputCount
  let isInFile = if case .doubles(let values) = raw.features { values.isInFile } else { raw.mapped != nil }
  guard let rawTargets = raw.targets else {
    throw DistsgdError(.badData, "no targets, \(source): expected one for every example")
  }
  let width = Double(isInFile ? 0 : inputCount) + Double(targetCount)
  try requireMemory(bytes: 4 * Double(count) * width, for: source)
  let targets: Examples.Targets
  if let classCount {
    targets = .labels(
      try Classes(names: preprocessing.classNames, count: classCount).labels(of: raw), classCount: classCount)
  } else {
    guard raw.targetTexts == nil else { throw textTarget(raw) }
    let statistics = ColumnStatistics(
      means: preprocessing.targets.map(\.mean), deviations: preprocessing.targets.map(\.deviation))
    let standard = try rawTargets.withUnsafeBufferPointer { (values) throws(DistsgdError) in
      try standardized(values, statistics, source: source)
    }
    if let overflow = standard.overflow {
      throw tooLarge(rawTargets[overflow], source, "target", overflow / targetCount)
    }
    targets = .values(standard.values)
  }
  let weights = raw.weights?.map { Float($0) }
  let (features, mapped) = try inputs(raw, preprocessing)
  var result = Examples(
    count: count, featureCount: inputCount, exampleShape: shape, features: features, targets: targets,
    targetCount: classCount == nil ? targetCount : 1, weights: weights)
  result.mapped = mapped
  return result
}

/// Raw inputs as a model's: bytes stay bytes where the model takes them scaled by 1/255.
func inputs(
  _ raw: consuming RawExamples, _ preprocessing: Preprocessing
) throws(DistsgdError) -> (features: Examples.Features, mapped: MappedFeatures?) {
  let statistics = ColumnStatistics(
    means: preprocessing.featureMeans, deviations: preprocessing.featureDeviations)
  let isUnshifted = statistics.means.allSatisfy { $0 == 0 }
  let result: Inputs
  switch raw.features {
  case _ where !preprocessing.isNumeric:
    let inputs = try encoded(raw, preprocessing)
    return (.float32(inputs.values), inputs.mapped)
  case .bytes(let bytes):
    if isUnshifted, statistics.deviations.allSatisfy({ $0 == 255 }) {
      return (.uint8(bytes, scale: byteScale), raw.mapped)
    }
    result = try bytes.withUnsafeBufferPointer { (values) throws(DistsgdError) in
      try standardized(values, statistics, source: raw.source)
    }
  case .floats(let values):
    if isUnshifted, statistics.deviations.allSatisfy({ $0 == 1 }) { return (.float32(values), raw.mapped) }
    result = try values.withUnsafeBufferPointer { (values) throws(DistsgdError) in
      try standardized(values, statistics, source: raw.source)
    }
  case .doubles(let values):
    result = try values.withUnsafeBufferPointer { (numbers) throws(DistsgdError) in
      try standardized(numbers, statistics, inFile: values.isInFile, source: raw.source)
    }
  }
  if let overflow = result.overflow {
    let (row, column) = overflow.quotientAndRemainder(dividingBy: raw.featureCount)
    let value: Double? = if case .doubles(let values) = raw.features { values[overflow] } else { nil }
    throw tooLarge(value, raw.source, raw.columnName(column), row)
  }
  return (.float32(result.values), result.mapped)
}

extension RawExamples {
  var isByteInput: Bool {
    if case .bytes = features { return kind != .table }
    return false
  }
}

func tooLarge(_ value: Double?, _ source: String, _ column: String, _ row: Int) -> DistsgdError {
  DistsgdError(
    .badData,
    "\(value.map { String($0) } ?? "a number") is too large for single precision, \(source) example \(row + 1), \(column): rescale the column"
  )
}

/// The first `examples` rows.
private func cut(_ raw: consuming RawExamples, to examples: Int?) throws(DistsgdError) -> RawExamples {
  guard let examples else {
    let rows = raw.defaultExamples ?? raw.count
    return try raw.prefix(rows)
  }
  guard examples >= 1, examples <= raw.count else {
    throw DistsgdError(
      .usage, "--examples \(examples), \(raw.source) has \(raw.count): give 1 to \(raw.count)")
  }
  try requireMemory(bytes: raw.bytes(rows: examples), for: raw.source)
  return try raw.prefix(examples)
}
