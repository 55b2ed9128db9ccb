// Which columns of a table are inputs, which are targets, and which are neither.
import System
import Text

/// Column indices, counted from 0.
struct ColumnChoice: Equatable {
  var features: [Int]
  var targets: [Int]
  /// Carried into predictions.
  var identifier: Int?
  /// How much an example counts.
  var weight: Int?

  init(features: [Int], targets: [Int], identifier: Int? = nil, weight: Int? = nil) {
    self.features = features
    self.targets = targets
    self.identifier = identifier
    self.weight = weight
  }
}

/// The user's words for columns; nil for a default.
struct ColumnWishes: Equatable {
  /// `--target`: a name, or a list of them.
  var target: String?
  var features: [String]?
  var exclude: [String]?
  var identifier: String?
  /// Whether the identifier's column may be missing.
  var identifierIsOptional = false
  var weight: String?
}

/// What decides the choice.
enum ColumnRequest {
  /// The user's `--target`, `--features` and so on.
  case chosen(ColumnWishes)
  /// The columns that a model was, or is being, trained with.
  case matching(Preprocessing, wishes: ColumnWishes = ColumnWishes(), readsTarget: Bool)

  /// The names that are looked for in a table.
  var known: [String] {
    if case .matching(let preprocessing, _, _) = self { preprocessing.featureNames } else { [] }
  }

  /// Finds the columns in a table.
  ///
  /// - Parameters:
  ///   - names: the table's column names; "1", "2", … where it has none.
  ///   - isNamed: whether the names are the table's own.
  ///   - index: a column that only counts the rows, which is no feature unless it is named as one.
  /// - Throws: `usage` for an unknown or doubly used column, `badData` where a trained model's columns are not
  ///   there.
  func resolve(
    _ names: [String], isNamed: Bool, index: Int? = nil, source: String
  ) throws(DistsgdError) -> ColumnChoice {
    let columns = ColumnNames(names: names, source: source)
    switch self {
    case .chosen(let wishes): return try choose(wishes, columns, index: index)
    case .matching(let preprocessing, let wishes, let readsTarget):
      var choice = try match(preprocessing, columns, isNamed: isNamed, index: index)
      if !readsTarget { choice.targets = [] }
      // What a training has carried or weighed by may be left out of new data.
      if let name = wishes.identifier, names.contains(name) || !wishes.identifierIsOptional {
        choice.identifier = try columns.column(name, flag: "--id")
        guard !choice.features.contains(choice.identifier!) else {
          throw DistsgdError(
            .usage, "column '\(printable(name))' is an input of the model, --id: name another")
        }
        choice.targets.removeAll { $0 == choice.identifier }
      }
      if let name = wishes.weight { choice.weight = try columns.column(name, flag: "--weight") }
      return choice
    }
  }
}

/// - Throws: `badData` too where a model, which knows columns by their names alone, would take others.
private func choose(
  _ wishes: ColumnWishes, _ columns: ColumnNames, index: Int?
) throws(DistsgdError) -> ColumnChoice {
  let choice = try chooseFreely(wishes, columns, index: index)
  let used = choice.features + choice.targets
  let known = columns.inOrder(used.map { columns.names[$0] })
  if let (column, _) = zip(used, known).first(where: { $0 != $1 }) {
    throw DistsgdError(
      .badData,
      "several columns are named '\(printable(columns.names[column]))', \(columns.source): a model finds its columns by their names; rename them in the header"
    )
  }
  return choice
}

private func chooseFreely(
  _ wishes: ColumnWishes, _ columns: ColumnNames, index: Int?
) throws(DistsgdError) -> ColumnChoice {
  let names = columns.names
  let excluded = Set(
    try wishes.exclude.map { list throws(DistsgdError) in try columns.columns(list, flag: "--exclude") } ?? []
  )
  let identifier = try wishes.identifier.map { name throws(DistsgdError) in
    try columns.column(name, flag: "--id")
  }
  let weight = try wishes.weight.map { name throws(DistsgdError) in try columns.column(name, flag: "--weight")
  }
  func isFree(_ column: Int) -> Bool {
    !excluded.contains(column) && column != identifier && column != weight
  }
  var targets: [Int]
  if let target = wishes.target, target != "last" || names.contains("last") {
    targets =
      names.contains(target)
      ? [try columns.column(target, flag: "--target")]
      : try columns.columns(ColumnList.parse(target), flag: "--target")
    for (place, column) in targets.enumerated() {
      guard isFree(column), !targets[..<place].contains(column) else {
        throw DistsgdError(
          .usage,
          "column '\(printable(names[column]))' is the target and \(isFree(column) ? "named twice" : "excluded, or an identifier or weight"), \(columns.source), --target: name another"
        )
      }
    }
  } else {
    targets = names.indices.last { isFree($0) && $0 != index }.map { [$0] } ?? []
  }
  if let features = wishes.features {
    let chosen = try columns.columns(features, flag: "--features")
    var isUsed = [Bool](repeating: false, count: names.count)
    for column in chosen {
      guard !targets.contains(column) else {
        throw DistsgdError(
          .usage,
          "column '\(printable(names[column]))' is both a feature and the target, \(columns.source), --features: name another --target or leave it out of --features"
        )
      }
      guard !isUsed[column] else {
        throw DistsgdError(
          .usage,
          "column '\(printable(names[column]))' is named twice, --features: name every column once")
      }
      isUsed[column] = true
    }
    return ColumnChoice(
      features: chosen.filter { isFree($0) }, targets: targets, identifier: identifier, weight: weight)
  }
  let others = names.indices.filter { isFree($0) && !targets.contains($0) }
  // A column that counts the rows is better than none.
  let counted = others.filter { $0 != index }
  guard !others.isEmpty else {
    throw DistsgdError(
      .badData,
      "only \(targets.count == names.count ? "one column" : "columns that are left out beside the target"), \(columns.source): a table needs at least one feature and the target"
    )
  }
  return ColumnChoice(
    features: counted.isEmpty ? others : counted, targets: targets, identifier: identifier, weight: weight)
}

private func match(
  _ preprocessing: Preprocessing, _ columns: ColumnNames, isNamed: Bool, index: Int?
) throws(DistsgdError) -> ColumnChoice {
  let names = columns.names
  let featureCount = preprocessing.columns.count
  let positions = Dictionary(zip(names, names.indices)) { first, _ in first }
  let wanted = preprocessing.featureNames
  let places = columns.inOrder(wanted + preprocessing.targets.map(\.name))
  let targets = places[wanted.count...].compactMap { $0 }
  let hasTargets = targets.count == preprocessing.targets.count && !targets.isEmpty
  if !wanted.isEmpty {
    // Parts of dates come of the date's column.
    let found = zip(wanted, places).compactMap { name, place in
      positions[name] == nil ? DatePart.column(name).flatMap { positions[$0] } : place
    }
    let isNumbered = wanted.allSatisfy { Int($0) != nil }
    // Without a header, numbers mean the same columns only in a table that has the target too.
    if found.count == featureCount, isNamed || (isNumbered && hasTargets) {
      return ColumnChoice(features: found, targets: hasTargets ? targets : [])
    }
    if isNamed, !isNumbered, let name = zip(wanted, places).first(where: { $1 == nil })?.0 {
      let others = names.filter { !wanted.contains($0) }
      throw DistsgdError(
        .badData,
        "no column '\(printable(name))', \(columns.source): \(suggestion(for: name, among: others))the model takes the columns \(listed(wanted)), the file has \(listed(names))"
      )
    }
    // A table without a header whose columns were not all inputs: places alone do not tell which these are.
    let isAll = wanted == (1...max(1, featureCount)).map(String.init)
    if isNumbered, !isAll, names.count != featureCount {
      throw DistsgdError(
        .badData,
        "\(counted(names.count, "column")), \(columns.source): the model takes the columns number \(listed(wanted)) of the file it was trained on, so give all columns of such a file, or these \(featureCount) alone"
      )
    }
  }
  // By position: the inputs in order, and the target where its name is, else last.
  let usable = names.indices.filter { $0 != index || names.count <= featureCount }
  switch usable.count {
  case featureCount where !(isNamed && hasTargets): return ColumnChoice(features: usable, targets: [])
  case featureCount + preprocessing.targets.count:
    let places = isNamed && hasTargets ? targets : Array(usable.suffix(preprocessing.targets.count))
    return ColumnChoice(features: usable.filter { !places.contains($0) }, targets: places)
  default:
    throw DistsgdError(
      .badData,
      "\(counted(names.count, "column")), \(columns.source): the model takes \(counted(featureCount, "input")), so give \(counted(featureCount, "column")), or \(featureCount + 1) with the target last"
    )
  }
}

extension DatePart {
  /// The name of the column of dates whose part this name is.
  static func column(_ name: String) -> String? {
    guard let dot = name.lastIndex(of: "."),
      DatePart(rawValue: String(name[name.index(after: dot)...])) != nil
    else { return nil }
    return String(name[..<dot])
  }
}
