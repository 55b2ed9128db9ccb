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
    raw = tableColumns(of: values, names: names, choice: choice, source: source) { .doubles($0) }
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
  if let targets {
    guard targets.columns == 1 else {
      throw DistsgdError(
        .badData,
        "targets have the shape \(targets.shape), \(targetsSource): expected one number for every example")
    }
    guard targets.rows == inputs.rows else {
      throw DistsgdError(
        .badData,
        "\(inputs.rows) inputs, \(inputsSource), but \(targets.rows) targets, \(targetsSource): expected one target for every input"
      )
    }
  }
  var raw = RawExamples(
    source: source, kind: .arrays, count: inputs.rows, featureCount: inputs.columns,
    exampleShape: imageShape(inputs.shape), features: inputs.values, targets: targets?.doubles)
  raw.isLabelled = targets?.isInteger ?? false
  return raw
}

/// Bytes of an entry that hold its header: numpy pads it to 64 or 128, and a long shape or type takes more.
private let headerLimit = 1 << 12

/// The inputs and targets of an `.npz` archive.
///
/// Inputs are named x, X, features, data or inputs; targets y, Y, target, targets or labels. Where these names
/// do not occur, the only array of two or more dimensions and the only other one are taken.
///
/// - Throws: `badData` when the archive is damaged, or which array is which cannot be told.
func readNPZ(
  _ bytes: UnsafeRawBufferPointer, source: String, needsTargets: Bool
) throws(DistsgdError) -> RawExamples {
  let archive = try ZipArchive(bytes, source: source)
  let arrays = archive.entries.filter { $0.name.hasSuffix(".npy") }
  func named(_ names: [String]) -> ZipArchive.Entry? {
    for name in names { if let entry = arrays.first(where: { $0.name == name + ".npy" }) { return entry } }
    return nil
  }
  var inputs = named(["x", "X", "features", "data", "inputs"])
  var targets = named(["y", "Y", "target", "targets", "labels"])
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
      "\(source) has \(found): expected inputs named x and targets named y, as numpy.savez(file, x=…, y=…) writes them"
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
        "\(entry.size) bytes, \(name): its shape \(header.shape) of \(header.type) needs another number; write it again with numpy.savez"
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
    inputs: x, targets: y, source: source, inputsSource: "\(source)/\(printable(inputs.name))",
    targetsSource: "\(source)/\(targets.map { printable($0.name) } ?? "")")
}
