// What is done about missing values: told, left out with their rows, or filled in as the training rows suggest.
import System
import Text

extension RawExamples {
  /// Whether example `row` has all its values, or but for its inputs.
  private func isComplete(_ row: Int, besideInputs: Bool) -> Bool {
    if !besideInputs, case .doubles(let values) = features {
      for place in row * featureCount..<(row + 1) * featureCount where values[place].isNaN { return false }
    }
    if let targets {
      for place in row * targetCount..<(row + 1) * targetCount where targets[place].isNaN { return false }
    }
    return weights.map { !$0[row].isNaN } ?? true
  }

  /// The rows that have all values; where inputs are filled in, those that have their targets, which are not.
  /// - Throws: `badData` where there are none.
  consuming func droppingIncomplete(_ choice: MissingChoice) throws(DistsgdError) -> RawExamples {
    guard missing != nil, choice != .error else { return self }
    let fills = choice == .mean
    let kept = (0..<count).filter { isComplete($0, besideInputs: fills) }
    guard !kept.isEmpty else {
      throw DistsgdError(
        .badData,
        fills
          ? "no row has a target, \(source): name another column with --target"
          : "\(count == 1 ? "the only row" : "each of the \(count) rows") has a missing value, \(source): --missing mean fills them in, --exclude leaves out the columns that have most"
      )
    }
    var result = kept.count == count ? self : try selecting(kept)
    if kept.count < count {
      result.layout +=
        ", \(counted(count - kept.count, "row")) \(fills ? "without a target" : "with missing values") left out"
    }
    if !fills { result.missing = nil }
    return result
  }

  /// What each column's missing values become, by these rows.
  /// - Parameter notes: a line for each column without any value, which becomes 0 everywhere.
  func fills(_ notes: inout [String]) -> [InputColumn.Fill] {
    guard case .doubles(let values) = features else { return [] }
    var fills: [InputColumn.Fill] = []
    for column in 0..<featureCount {
      let present = (0..<count).lazy.map { values[$0 * featureCount + column] }.filter { !$0.isNaN }
      guard let first = present.first else {
        notes.append(
          "no training row of \(source) has a value in \(columnName(column)): it is taken as 0 everywhere")
        fills.append(.number(0))
        continue
      }
      let texts = categories.isEmpty ? [] : categories[column]
      if texts.isEmpty {
        // Shifted by the first, so that the mean of equal numbers is that number.
        var (sum, number) = (0.0, 0)
        for value in present {
          sum += value - first
          number += 1
        }
        fills.append(.number(first + sum / Double(number)))
      } else {
        var uses = [Int](repeating: 0, count: texts.count)
        for value in present { uses[Int(value)] += 1 }
        fills.append(.category(texts[uses.firstIndex(of: uses.max()!)!]))
      }
    }
    return fills
  }

  /// Fills in each column's missing values.
  mutating func fill(_ fills: [InputColumn.Fill?]) throws(DistsgdError) {
    guard missing != nil, case .doubles(var values) = features, fills.count == featureCount else { return }
    // Nobody else has them now: they are changed where they are.
    features = .floats([])
    if categories.isEmpty { categories = [[String]](repeating: [], count: featureCount) }
    var numbers: [Double] = []
    for (column, fill) in fills.enumerated() {
      switch fill {
      case .number(let value): numbers.append(value)
      case .category(let text):
        // Another file may have the text nowhere.
        if !categories[column].contains(text) { categories[column].append(text) }
        numbers.append(Double(categories[column].firstIndex(of: text)!))
      case nil: numbers.append(.nan)
      }
    }
    try values.update(source: source) { [featureCount] values in
      for place in values.indices where values[place].isNaN { values[place] = numbers[place % featureCount] }
    }
    features = .doubles(values)
  }

  /// - Throws: `badData` that counts them and says what can be done, where there are any.
  func requireComplete(_ advice: (_ onlyTargets: Bool) -> String) throws(DistsgdError) {
    guard let missing else { return }
    var columns = [Int](repeating: 0, count: featureCount)
    if case .doubles(let values) = features {
      for place in values.indices where values[place].isNaN { columns[place % featureCount] += 1 }
    }
    var others = [Int](repeating: 0, count: targetCount + 1)
    for (place, value) in (targets ?? []).enumerated() where value.isNaN { others[place % targetCount] += 1 }
    for value in weights ?? [] where value.isNaN { others[targetCount] += 1 }
    let all = (columns + others).filter { $0 > 0 }
    let total = all.reduce(0, +)
    guard total > 0 else { return }
    let onlyTargets = columns.allSatisfy { $0 == 0 }
    let what = missing.isEmpty ? "empty field" : "missing value"
    let word = missing.isEmpty || missing.text.isEmpty ? "" : " ('\(printable(missing.text))')"
    let place = onlyTargets ? missing.targetPlace : missing.place
    let found = "\(counted(total, what)) in \(counted(all.count, "column"))"
    throw DistsgdError(
      .badData,
      "\(found), \(source), \(total == 1 ? "" : "the first ")in \(place)\(word): \(advice(onlyTargets))")
  }
}
