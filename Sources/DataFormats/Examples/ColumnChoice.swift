// Which columns of a table are inputs, and which one is the target.
import System
import Text

/// Column indices, counted from 0.
struct ColumnChoice: Equatable {
  var features: [Int]
  var target: Int?
}

/// What decides the choice.
enum ColumnRequest {
  /// The user's `--target` and `--features`.
  case chosen(target: String?, features: [String]?)
  /// The columns that a model was, or is being, trained with.
  case matching(Preprocessing, featureCount: Int, readsTarget: Bool)

  /// Finds the columns in a table.
  ///
  /// - Parameters:
  ///   - names: the table's column names; "1", "2", … where it has none.
  ///   - isNamed: whether the names are the table's own.
  /// - Throws: `usage` for an unknown or doubly used column, `badData` where a trained model's columns are not
  ///   there.
  func resolve(_ names: [String], isNamed: Bool, source: String) throws(DistsgdError) -> ColumnChoice {
    switch self {
    case .chosen(let target, let features):
      return try choose(target: target, features: features, names: names, source: source)
    case .matching(let preprocessing, let featureCount, let readsTarget):
      var choice = try match(preprocessing, featureCount, names: names, isNamed: isNamed, source: source)
      if !readsTarget { choice.target = nil }
      return choice
    }
  }
}

private func choose(
  target: String?, features: [String]?, names: [String], source: String
) throws(DistsgdError) -> ColumnChoice {
  var targetColumn = names.count - 1
  if let target, target != "last" || names.contains("last") {
    targetColumn = try column(target, in: names, source: source, flag: "--target")
  }
  guard let features else {
    guard names.count >= 2 else {
      throw DistsgdError(
        .badData, "only one column, \(source): a table needs at least one feature and the target")
    }
    return ColumnChoice(features: names.indices.filter { $0 != targetColumn }, target: targetColumn)
  }
  guard !features.isEmpty else { throw DistsgdError(.usage, "--features names no column: name at least one") }
  var chosen: [Int] = []
  var isUsed = [Bool](repeating: false, count: names.count)
  for feature in features {
    let index = try column(feature, in: names, source: source, flag: "--features")
    guard index != targetColumn else {
      throw DistsgdError(
        .usage,
        "column '\(printable(feature))' is both a feature and the target, \(source), --features: name another --target or leave it out of --features"
      )
    }
    guard !isUsed[index] else {
      throw DistsgdError(
        .usage, "column '\(printable(feature))' is named twice, --features: name every column once")
    }
    isUsed[index] = true
    chosen.append(index)
  }
  return ColumnChoice(features: chosen, target: targetColumn)
}

/// A column by name, else by its number counted from 1.
private func column(
  _ name: String, in names: [String], source: String, flag: String
) throws(DistsgdError) -> Int {
  if let index = names.firstIndex(of: name) {
    guard names[(index + 1)...].firstIndex(of: name) == nil else {
      throw DistsgdError(
        .usage,
        "column name '\(printable(name))' is not unique, \(source), \(flag): name the column by its number, 1 to \(names.count)"
      )
    }
    return index
  }
  if let number = Int(name), number >= 1, number <= names.count { return number - 1 }
  throw DistsgdError(
    .usage,
    "no column '\(printable(name))', \(source), \(flag): \(suggestion(for: name, among: names))its columns are \(listed(names))"
  )
}

private func match(
  _ preprocessing: Preprocessing, _ featureCount: Int, names: [String], isNamed: Bool, source: String
) throws(DistsgdError) -> ColumnChoice {
  var positions: [String: Int] = [:]
  for (index, name) in names.enumerated() where positions[name] == nil { positions[name] = index }
  let wanted = preprocessing.featureNames
  let target = positions[preprocessing.targetName]
  if wanted.count == featureCount, !wanted.isEmpty {
    let found = wanted.compactMap { positions[$0] }
    let isNumbered = wanted.allSatisfy { Int($0) != nil }
    // Without a header, numbers mean the same columns only in a table that has the target too.
    if found.count == featureCount, isNamed || (isNumbered && target != nil) {
      return ColumnChoice(features: found, target: target)
    }
    if isNamed, !isNumbered, let name = wanted.first(where: { positions[$0] == nil }) {
      throw DistsgdError(
        .badData,
        "no column '\(printable(name))', \(source): \(suggestion(for: name, among: names))the model takes the columns \(listed(wanted)), the file has \(listed(names))"
      )
    }
  }
  // By position: the inputs in order, and the target where its name is, else last.
  switch names.count {
  case featureCount where !(isNamed && target != nil):
    return ColumnChoice(features: Array(0..<featureCount), target: nil)
  case featureCount + 1:
    let place = isNamed ? target ?? featureCount : featureCount
    return ColumnChoice(features: names.indices.filter { $0 != place }, target: place)
  default:
    throw DistsgdError(
      .badData,
      "\(names.count) columns, \(source): the model takes \(featureCount) inputs, so give \(featureCount) columns, or \(featureCount + 1) with the target last"
    )
  }
}
