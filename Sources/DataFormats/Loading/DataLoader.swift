// Loads what `--data` names: one call from the command line's words to training and validation examples.
import System
import Text

/// Loads a data set on one rank of each server; knows nothing of MPI.
///
/// The order is: read all rows; cut to `examples`; hold out validation rows; standardise with the statistics of
/// the training rows (`airfoil`: of all 1,503 rows); number the classes.
///
/// - Throws: `usage` for options that do not fit the data, `noInput` for files that are not there, `badData` for
///   what is wrong in them.
package func loadData(_ options: DataOptions) throws(DistsgdError) -> LoadedData {
  try loadData(options, environment: environmentValue)
}

/// The same with another environment, for tests.
package func loadData(
  _ options: DataOptions, environment: @escaping (String) -> String?,
  systemFolder: String = fashionSystemFolder
) throws(DistsgdError) -> LoadedData {
  if let own = options.own {
    guard options.tableFlag == nil, options.examples == nil, options.validation == nil,
      options.standardize == nil
    else {
      throw DistsgdError(
        .usage,
        "data of the program's own ('\(printable(options.data))') are trained on as they come, with their own validation set: leave out target, features, examples, validation and standardize"
      )
    }
    return try own()
  }
  let source = try DataSource(options.data, flag: "--data")
  if !source.isTable, let flag = options.tableFlag {
    throw DistsgdError(
      .usage,
      "\(flag) with --data \(printable(options.data, limit: 200)): only tables have columns to choose; leave it out"
    )
  }
  if options.task == .classification, source.isRegression {
    throw DistsgdError(
      .usage,
      "--task classification, --model softmax or --loss cross-entropy with --data \(printable(options.data, limit: 200)): its targets are numbers, not classes; use --model linear or mlp:256,128 with --loss squared"
    )
  }
  let validation = try validationSource(options, source)
  var request = ReadRequest(
    columns: .chosen(options.wishes), header: options.header, missing: options.missingWords,
    takesDates: options.takesDates, cacheFile: options.cacheFile,
    pictures: PictureRequest(size: options.imageSize), seed: options.seed,
    environment: environment, systemFolder: systemFolder)
  // Examples that are held out lie among the others.
  request.maps = options.standardize != true && (options.validation == nil || validation != nil)
  guard options.imageSize == nil || source.isPictures else {
    throw DistsgdError(
      .usage,
      "--image-size with --data \(printable(options.data, limit: 200)): only PNG and JPEG files are resized; leave it out"
    )
  }
  let raw = try source.read(request)
  var held: RawExamples?
  if let validation { held = try readValidation(validation, for: raw, options, &request) }
  return try assemble(raw, options, validation: held)
}

extension DataOptions {
  var wishes: ColumnWishes {
    ColumnWishes(
      target: target, features: features, exclude: exclude, identifier: identifier, weight: weight)
  }

  var missingWords: MissingWords { MissingWords(own: Set(missingValues)) }

  /// A flag that only a table has a use for.
  fileprivate var tableFlag: String? {
    if target != nil { return "--target" }
    if features != nil { return "--features" }
    if exclude != nil { return "--exclude" }
    if identifier != nil { return "--id" }
    if weight != nil { return "--weight" }
    if header != .auto { return "--header" }
    return takesDates ? "--dates" : nil
  }
}

/// The other source to validate on; `nil` for a fraction or none.
private func validationSource(
  _ options: DataOptions, _ source: DataSource
) throws(DistsgdError) -> DataSource? {
  guard let text = options.validation else { return nil }
  if text == "test" {
    switch source {
    case .fashionMNIST: return .fashionMNIST(test: true)
    // Whether there is one is known when it is read.
    case .archive(let path, _): return .archive(path, .test)
    case .pictures(.folder(let path, _)): return .pictures(.folder(path, .test))
    default:
      throw DistsgdError(
        .usage,
        "--validation test: \(printable(options.data, limit: 200)) has no test split, as fashion-mnist, .npz files with x_test and y_test, and folders with test/ have; give a fraction such as 0.2, or a file"
      )
    }
  }
  if fractionNumber(text) != nil {
    _ = try validationFraction(text)
    return nil
  }
  guard text != standardInputPath else {
    throw DistsgdError(
      .usage, "--validation -: only --data reads standard input; give a fraction such as 0.2, or a file")
  }
  return try DataSource(text, flag: "--validation")
}

/// Validation examples with the same columns as the training data's.
private func readValidation(
  _ validation: DataSource, for raw: RawExamples, _ options: DataOptions, _ request: inout ReadRequest
) throws(DistsgdError) -> RawExamples {
  let columns = (0..<raw.featureCount).map { column in
    let texts = raw.categories.isEmpty ? [] : raw.categories[column]
    return InputColumn(
      name: raw.featureNames.isEmpty ? "" : raw.featureNames[column],
      encoding: texts.isEmpty ? .number(mean: 0, deviation: 1) : .category(texts))
  }
  let names = raw.targetNames.isEmpty ? [""] : raw.targetNames
  let preprocessing = Preprocessing(columns: columns, targets: names.map { TargetColumn(name: $0) })
  var wishes = ColumnWishes()
  wishes.weight = options.weight
  request.columns = .matching(preprocessing, wishes: wishes, readsTarget: true)
  if raw.kind == .images { request.pictures.channels = raw.exampleShape?.first }
  request.maps = raw.mapped != nil
  var held = try validation.read(request)
  if held.mapped != nil, held.isByteInput != raw.isByteInput {
    // Bytes and numbers are scaled otherwise.
    request.maps = false
    held = try validation.read(request)
  }
  guard held.featureCount == raw.featureCount else {
    throw DistsgdError(
      .badData,
      "\(counted(held.featureCount, "input")), \(held.source), --validation: expected \(raw.featureCount) as in \(raw.source)"
    )
  }
  if let shape = raw.exampleShape, let other = held.exampleShape, shape != other {
    throw DistsgdError(
      .badData,
      "examples of the shape \(other), \(held.source), --validation: expected \(shape) as in \(raw.source)")
  }
  guard held.targets != nil else {
    throw DistsgdError(
      .badData, "no target column, \(held.source), --validation: expected '\(printable(raw.targetName))'")
  }
  return held
}
