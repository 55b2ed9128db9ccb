// NumPy arrays as examples: a pair of files, an .npz archive, or one matrix that is a table without a header.
import System
import Text

/// A matrix that is a table: named columns are "1", "2", …; the target is a column of it.
func tableExamples(
  _ array: NPYArray, source: String, columns request: ColumnRequest
) throws(DistsgdError) -> RawExamples {
  let isMatching = if case .matching = request { true } else { false }
  guard array.shape.count == 2 || (isMatching && array.shape.count > 2) else {
    throw DistsgdError(
      .badData,
      "\(source) has the shape \(array.shape): one array alone must be a table (rows, columns) with the target in a column; else give inputs,targets as two files"
    )
  }
  try requireNumbers(array, source: source)
  try requireMemory(bytes: 8 * Double(array.rows) * Double(array.columns), for: source)
  let names = (1...array.columns).map(String.init)
  let choice = try request.resolve(names, isNamed: false, source: source)
  var raw: RawExamples
  switch array.values {
  case _ where choice == ColumnChoice(features: Array(0..<array.columns), targets: []):
    raw = RawExamples(
      source: source, kind: .table, count: array.rows, featureCount: array.columns, features: array.values,
      featureNames: names)
  case .doubles(let values):
    raw = tableColumns(of: values.array, names: names, choice: choice, source: source) {
      .doubles(Numbers($0))
    }
  case .floats(let values):
    raw = tableColumns(of: values, names: names, choice: choice, source: source) { .floats($0) }
  case .bytes(let values):
    raw = tableColumns(of: values, names: names, choice: choice, source: source) { .bytes($0) }
  }
  raw.standardizesByDefault = true
  return raw
}

/// Inputs (N, …) and targets (N) or (N, 1) from two arrays.
func arrayExamples(
  inputs: NPYArray, targets: NPYArray?, source: String, inputsSource: String, targetsSource: String
) throws(DistsgdError) -> RawExamples {
  try requireNumbers(inputs, source: inputsSource)
  if let targets {
    guard targets.columns == 1 else {
      throw DistsgdError(
        .badData,
        "targets have the shape \(targets.shape), \(targetsSource): expected one number for every example")
    }
    guard targets.rows == inputs.rows else {
      throw DistsgdError(
        .badData,
        "\(counted(inputs.rows, "input")), \(inputsSource), but \(counted(targets.rows, "target")), \(targetsSource): expected one target for every input"
      )
    }
  }
  var raw = RawExamples(
    source: source, kind: .arrays, count: inputs.rows, featureCount: inputs.columns,
    exampleShape: imageShape(inputs.shape), features: inputs.values, targets: targets?.doubles)
  raw.isLabelled = targets.map { $0.isInteger || $0.texts != nil } ?? false
  raw.targetTexts = targets?.texts
  raw.mapped = inputs.mapped
  return raw
}

/// - Throws: `badData` for inputs that are text.
private func requireNumbers(_ array: NPYArray, source: String) throws(DistsgdError) {
  guard array.texts != nil else { return }
  throw DistsgdError(
    .badData,
    "\(source) is an array of text, and inputs are numbers: save it as a table, whose columns of text are taken as categories, by pandas.DataFrame(a).to_csv('a.csv', index=False)"
  )
}

/// Bytes of an entry that hold its header: numpy pads it to 64 or 128, and a long shape or type takes more.
private let headerLimit = 1 << 12

/// The inputs and targets of an `.npz` archive.
///
/// `ArrayNames` tells by their names which are which, and of which part. Where none is called so, the only array of
/// two or more dimensions and the only other one are taken.
///
/// - Parameter part: of an archive that has a test part too; new examples without targets are taken from that one.
/// - Throws: `badData` when the archive is damaged, or which array is which cannot be told; `usage` when there is no
///   test part.
func readNPZ(
  _ bytes: UnsafeRawBufferPointer, source: String, part: ArchivePart = .training, needsTargets: Bool
) throws(DistsgdError) -> RawExamples {
  let archive = try ZipArchive(bytes, source: source)
  let arrays = archive.entries.filter { $0.name.hasSuffix(".npy") }
  func named(_ part: ArchivePart) -> (inputs: ZipArchive.Entry?, targets: ZipArchive.Entry?) {
    let places = ArrayNames.places(of: part, in: arrays.map(\.name), needsTargets: needsTargets)
    return (places.inputs.map { arrays[$0] }, places.targets.map { arrays[$0] })
  }
  var (inputs, targets) = named(part)
  if part == .test, inputs == nil || (targets == nil && needsTargets) {
    throw DistsgdError(
      .usage,
      "--validation test: \(source) has no test split, arrays such as x_test and y_test; its arrays are \(listed(arrays.map { String($0.name.dropLast(4)) })); give a fraction such as 0.2, or a file"
    )
  }
  // New examples of a set in parts are its test part.
  if !needsTargets, case let test = named(.test), test.inputs != nil { (inputs, targets) = test }
  if inputs == nil || (targets == nil && needsTargets) {
    // Told apart by shape: a column of targets may have a second dimension of 1.
    var wide: [ZipArchive.Entry] = []
    var narrow: [ZipArchive.Entry] = []
    for entry in arrays {
      let start = try archive.prefix(of: entry, count: headerLimit)
      let header = start.withUnsafeBytes { buffer in
        Result { () throws(DistsgdError) in
          try NPYHeader(buffer, source: "\(source)/\(printable(entry.name))")
        }
      }
      let shape = try header.get().shape
      if shape.count >= 2 { wide.append(entry) } else { narrow.append(entry) }
    }
    inputs = inputs ?? (wide.count == 1 ? wide[0] : nil)
    targets = targets ?? (narrow.count == 1 ? narrow[0] : nil)
  }
  guard let inputs, targets != nil || !needsTargets else {
    let names = arrays.map { String($0.name.dropLast(4)) }
    let found = names.isEmpty ? "no arrays" : "the arrays \(listed(names))"
    throw DistsgdError(
      .badData,
      "\(source) has \(found): expected inputs named x and targets named y (or x_train, y_train, x_test, y_test), as numpy.savez(file, x=…, y=…) writes them"
    )
  }
  func array(_ entry: ZipArchive.Entry) throws(DistsgdError) -> NPYArray {
    let name = "\(source)/\(printable(entry.name))"
    // What the header says is compared with the entry's size before all of it is inflated.
    let start = try archive.prefix(of: entry, count: headerLimit)
    let header = try start.withUnsafeBytes { bytes in
      Result { () throws(DistsgdError) in try NPYHeader(bytes, source: name) }
    }.get()
    guard header.fileSize == entry.size else {
      throw DistsgdError(
        .badData,
        "\(counted(entry.size, "byte")), \(name): its shape \(header.shape) of \(header.type) needs another number; write it again with numpy.savez"
      )
    }
    let values = Double(entry.size) / Double(max(1, header.elementSize)) * Double(header.valueSize)
    try requireMemory(bytes: (entry.method == 0 ? 0 : Double(entry.size)) + values, for: name)
    return try archive.withContents(of: entry) { (contents) throws(DistsgdError) in
      try readNPY(contents, source: name)
    }
  }
  let x = try array(inputs)
  var y: NPYArray?
  if let targets { y = try array(targets) }
  return try arrayExamples(
    inputs: x, targets: y, source: part == .test ? "\(source) (test)" : source,
    inputsSource: "\(source)/\(printable(inputs.name))",
    targetsSource: "\(source)/\(targets.map { printable($0.name) } ?? "")")
}
