// Whether a table's first row names its columns, and which column only counts the rows.
import Text

/// Whether the first row names the columns.
///
/// It does where every field may be a name (a text, or a whole number) and a text stands over numbers; where
/// all columns are texts and none of its own comes again below it; and where whole numbers stand over numbers that
/// differ from them: 0, 1, 2, …, 1 … 65, years.
func isHeader(_ first: [String], _ rows: [TextRow], _ parser: TableParser) -> Bool {
  let numbers = first.map { parser.number($0) }
  let isText = first.indices.map { numbers[$0] == nil && !isMissingWord(first[$0]) && !isInfinite(first[$0]) }
  // NA may be the name of a column, sodium's for one, where others are names too.
  let isName = first.indices.map { column in
    isText[column] || first[column].isEmpty || Int(first[column]) != nil
      || numbers[column] == nil && first[column].contains(where: \.isLetter)
  }
  guard isName.allSatisfy({ $0 }), first.contains(where: { !$0.isEmpty }) else { return false }
  guard !rows.isEmpty else { return !numbers.contains { $0 != nil } }
  let columns = first.indices.map { column in Column(rows, column, parser) }
  if first.indices.contains(where: { isText[$0] && columns[$0].isNumeric }) { return true }
  let wholes = first.indices.filter { numbers[$0] != nil }
  if wholes.isEmpty {
    return !first.indices.contains { isText[$0] && columns[$0].texts.contains(first[$0]) }
  }
  return rows.count >= 3 && isNumbering(wholes.map { numbers[$0]! }, over: wholes.map { columns[$0] })
}

/// Whether whole numbers are the names of the columns below them.
private func isNumbering(_ names: [Double], over columns: [Column]) -> Bool {
  guard names.count >= 2, columns.allSatisfy(\.isNumeric) else { return false }
  let steps = zip(names.dropFirst(), names).map { $0 - $1 }
  let isCounting = (names[0] == 0 || names[0] == 1) && steps.allSatisfy { $0 == 1 }
  let isYears = names.allSatisfy { 1500...2200 ~= $0 } && steps.allSatisfy { $0 > 0 }
  guard isCounting || isYears else { return false }
  // Data may begin with 1, 2, 3 and go on with 4, 5, 6.
  let foreign = zip(names, columns).count { name, column in
    !column.isWhole || !(column.least...column.greatest ~= name)
  }
  return 2 * foreign >= names.count
}

/// A column of the first rows.
private struct Column {
  private(set) var values: [Double] = []
  private(set) var texts: Set<String> = []
  private(set) var isWhole = true
  private(set) var least = Double.infinity
  private(set) var greatest = -Double.infinity

  init(_ rows: [TextRow], _ column: Int, _ parser: TableParser) {
    for row in rows where column < row.fields.count {
      let text = row.fields[column]
      if let value = parser.number(text) {
        values.append(value)
        isWhole = isWhole && value == value.rounded() && !text.contains { ".,".contains($0) }
        (least, greatest) = (min(least, value), max(greatest, value))
      } else if !isMissingWord(text) {
        texts.insert(text)
      }
    }
  }

  var isNumeric: Bool { texts.isEmpty && !values.isEmpty }
}

// MARK: The column that counts the rows

extension TableSpelling {
  /// The first column where it has no name and tells the rows apart, or one that is named as such and counts them.
  func indexColumn() -> (column: Int, description: String)? {
    let candidates = names.indices.filter { $0 == 0 || isIndexName(names[$0]) }
    for column in candidates {
      let fields = rows.compactMap { column < $0.fields.count ? $0.fields[column] : nil }
      guard fields.count == rows.count, names.count > 2 else { continue }
      let isNameless = isNamed && (unnamed.contains(column) || names[column].hasPrefix("Unnamed: 0"))
      guard isNameless || !isNamed || isIndexName(names[column]) else { continue }
      let numbers = fields.map { Int($0) }
      let name = isNameless ? "without a name" : "'\(printable(names[column]))'"
      if let first = numbers.first, let first, first == 0 || first == 1, fields.count >= (isNamed ? 2 : 10),
        numbers.enumerated().allSatisfy({ $1 == first + $0 })
      {
        return (column, "column \(column + 1) \(name) (\(first), \(first + 1), …)")
      }
      if isNameless, fields.count >= 2, Set(fields).count == fields.count,
        numbers.allSatisfy({ $0 != nil }) || numbers.allSatisfy({ $0 == nil }),
        !fields.contains(where: { isMissingWord($0) || Int($0) == nil && parser.number($0) != nil })
      {
        return (
          column,
          "column \(column + 1) \(name) (\(fields.prefix(2).map { printable($0) }.joined(separator: ", ")), …)"
        )
      }
    }
    return nil
  }
}

/// Names that programs and people give to a column that counts the rows.
private func isIndexName(_ name: String) -> Bool {
  let word = name.lowercased().filter { $0.isLetter || $0.isNumber }
  return [
    "obs", "rownames", "rownumber", "rowname", "rowid", "row", "index", "idx", "id", "unnamed0", "no", "nr",
  ].contains(word)
    || name.hasSuffix("Id") || name.hasSuffix("ID") || name.lowercased().hasSuffix("_id")
}
