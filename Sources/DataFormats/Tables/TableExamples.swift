// The columns of a table that were read, as raw examples, and what is told of how they were read.
import System
import Text

extension ColumnTyping {
  /// The columns that were read.
  func examples(
    _ plan: TablePlan, _ parts: [TablePart], features: Numbers
  ) throws(DistsgdError) -> RawExamples {
    let rows = parts.reduce(0) { $0 + $1.count }
    func texts(_ column: Int) -> [String] {
      plan.kinds[column] == .category ? categoryTexts(of: column, parts) : []
    }
    func others(_ range: Range<Int>) -> [Double] {
      guard range.count < plan.otherCount else {
        return parts.flatMap { UnsafeBufferPointer(rebasing: $0.others[..<($0.count * range.count)]) }
      }
      return parts.flatMap { part in
        (0..<part.count).flatMap { row in range.map { part.others[row * plan.otherCount + $0] } }
      }
    }
    var raw = RawExamples(
      source: source, kind: .table, count: rows, featureCount: plan.featureCount,
      features: .doubles(features), featureNames: choice.features.map { spelling.names[$0] })
    raw.standardizesByDefault = true
    let categories = choice.features.map(texts)
    if categories.contains(where: { !$0.isEmpty }) || plan.kinds.contains(.category) {
      raw.categories = categories
    }
    let targetCount = choice.targets.count
    if targetCount > 0 {
      raw.targets = others(0..<targetCount)
      raw.targetNames = choice.targets.map { spelling.names[$0] }
      for target in choice.targets where plan.kinds[target] == .category {
        guard targetCount == 1 else {
          throw DistsgdError(
            .badData,
            "target '\(name(target))' holds texts, \(source): several targets must be numbers; name one of texts alone with --target"
          )
        }
        raw.targetTexts = texts(target)
        raw.isLabelled = true
      }
    }
    if choice.weight != nil { raw.weights = others(targetCount..<targetCount + 1) }
    if let identifier = choice.identifier {
      raw.identifiers = parts.flatMap(\.identifiers)
      raw.identifierName = spelling.names[identifier]
    }
    raw.missing = missing(parts)
    raw.notes = notes + indexNote
    raw.layout = layout(comments: parts.reduce(spelling.parser.commentCount) { $0 + $1.comments })
    let dates = choice.features.indices.filter { plan.kinds[choice.features[$0]] == .date }
    return model == nil && !dates.isEmpty ? try raw.takingApart(dates) : raw
  }

  /// The first missing value of all columns, and of the targets alone.
  private func missing(_ parts: [TablePart]) -> RawExamples.Missing? {
    guard
      let first = firstMissing(choice.features + choice.targets + [choice.weight].compactMap { $0 }, parts)
    else { return nil }
    return RawExamples.Missing(
      place: first.place, text: first.text, targetPlace: firstMissing(choice.targets, parts)?.place ?? "",
      isEmpty: parts.allSatisfy(\.onlyEmptyIsMissing))
  }

  private func firstMissing(_ columns: [Int], _ parts: [TablePart]) -> (place: String, text: String)? {
    var before = 0
    for part in parts {
      let found = columns.compactMap { column in
        part.tallies[column].firstMissing.map { (line: $0.line, column: column, text: $0.text) }
      }
      if let first = found.min(by: { ($0.line, $0.column) < ($1.line, $1.column) }) {
        return ("row \(first.line + before), column '\(name(first.column))'", first.text)
      }
      before += part.lines
    }
    return nil
  }

  private var indexNote: [String] {
    guard let (column, description) = spelling.index, model == nil, !choice.features.contains(column),
      !choice.targets.contains(column), column != choice.identifier, column != choice.weight
    else { return [] }
    if case .chosen(let wishes) = options.columns, wishes.features != nil || wishes.exclude != nil {
      return []
    }
    return [
      "\(description) only counts the rows of \(source) and is no feature; to keep it, name it in --features, or carry it into predictions with --id \(column + 1)"
    ]
  }

  /// How the table was read, for the line about the data.
  private func layout(comments: Int) -> String {
    var words = spelling.titleLine.map { ["row \($0) of fewer fields left out"] } ?? []
    words += [spelling.headerLine.map { "row \($0) is the header" } ?? "no header"]
    if spelling.parser.point == UInt8(ascii: ",") { words.append("decimal comma") }
    if let encoding = spelling.encoding { words.append(encoding) }
    if comments > 0 { words.append("\(comments) comment\(comments == 1 ? "" : "s")") }
    return words.joined(separator: ", ")
  }
}
