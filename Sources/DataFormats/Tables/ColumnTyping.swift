// What the columns of a table hold: numbers, texts of a few kinds, dates. First by the rows at the beginning, then by all.
import System
import Text

/// Decides how each chosen column is read.
///
/// A column is one of numbers where fewer than a tenth of its fields are texts: then a text is a mistake, and is told. One
/// with more of them is one of categories, as is one of codes: 136, 136A, 137.
struct ColumnTyping {
  let spelling: TableSpelling
  let options: TableOptions
  private(set) var choice: ColumnChoice
  /// The file's column of each of a model's.
  private let found: [Int]
  let source: String
  /// Lines for the user about what was assumed.
  private(set) var notes: [String] = []

  init(_ spelling: TableSpelling, _ options: TableOptions, _ choice: ColumnChoice, found: [Int] = []) {
    self.found = found
    self.spelling = spelling
    self.options = options
    self.choice = choice
    source = spelling.parser.source
  }

  func name(_ column: Int) -> String { printable(spelling.names[column]) }

  private var columnNames: ColumnNames { ColumnNames(names: spelling.names, source: source) }

  /// Of the model that the columns are read for; nil where one is to be trained.
  var model: Preprocessing? {
    if case .matching(let preprocessing, _, _) = options.columns { preprocessing } else { nil }
  }

  // MARK: Before the rows are read

  /// By the first rows, or by the model that the columns are read for.
  func plan() throws(DistsgdError) -> TablePlan {
    var kinds = [ColumnKind](repeating: .number, count: spelling.names.count)
    for column in choice.features + choice.targets { kinds[column] = kind(column) }
    if let model {
      for column in choice.features { kinds[column] = kindOf(column, in: model) }
    }
    for column in choice.features + choice.targets where kinds[column] == .date {
      try requireDates(
        column,
        spelling.rows.first { column < $0.fields.count && !isMissingWord($0.fields[column]) }?.fields[column]
          ?? "")
    }
    return TablePlan(choice: choice, kinds: kinds, missing: options.missing)
  }

  /// By the first rows.
  func kind(_ column: Int) -> ColumnKind {
    let fields = spelling.rows.compactMap { column < $0.fields.count ? $0.fields[column] : nil }
      .filter { !options.missing.contains($0, amongNumbers: true) && !isInfinite($0) }
    let texts = fields.filter { spelling.parser.number($0) == nil }
    if 10 * texts.count < fields.count || texts.isEmpty { return .number }
    return texts.count == fields.count && texts.allSatisfy { DateText($0) != nil } ? .date : .category
  }

  private func kindOf(_ column: Int, in model: Preprocessing) -> ColumnKind {
    guard let place = found.firstIndex(of: column), place < model.columns.count else { return .number }
    if case .category = model.columns[place].encoding { return .category }
    let name = model.columns[place].name
    return name != spelling.names[column] && DatePart.column(name) == spelling.names[column] ? .date : .number
  }

  private func requireDates(_ column: Int, _ text: String) throws(DistsgdError) {
    if choice.targets.contains(column) {
      throw DistsgdError(
        .badData,
        "the target '\(name(column))' holds dates ('\(printable(text))'), \(source): name another column with --target"
      )
    }
    guard !options.takesDates, model == nil else { return }
    throw DistsgdError(
      .badData,
      "column '\(name(column))' holds dates ('\(printable(text))'), \(source): --dates parts makes year, month, day and weekday of them, --exclude \(columnNames.word(column)) leaves the column out"
    )
  }

  // MARK: When all rows are read

  /// Looks at what was found.
  /// - Returns: another plan where a column holds something else than its first rows; nil where all is well.
  /// - Throws: `badData` for a column that can be read in no way.
  mutating func settle(_ plan: TablePlan, _ parts: [TablePart]) throws(DistsgdError) -> TablePlan? {
    let rows = parts.reduce(0) { $0 + $1.count }
    var kinds = plan.kinds
    for column in choice.features + choice.targets {
      let tallies = parts.map { $0.tallies[column] }
      let texts = tallies.reduce(0) { $0 + $1.texts }
      let present = rows - tallies.reduce(0) { $0 + $1.missing }
      switch plan.kinds[column] {
      case .number where texts > 0:
        let (text, line) = firstText(column, parts)
        let isFree = model == nil || choice.targets.contains(column)
        guard isFree, 10 * texts >= present || isOfCodes(column, text, texts) else {
          throw notANumber(text, line, column, texts, of: present)
        }
        kinds[column] = DateText(text) != nil && texts == present ? .date : .category
        if kinds[column] == .date { try requireDates(column, text) }
      case .category:
        if hasTooManyTexts(column, parts) {
          choice.features.removeAll { $0 == column }
          notes.append(
            "column '\(name(column))' of \(source) has more than \(grouped(maximumCategoryCount)) different texts and is no feature; to carry it into predictions, say --id \(columnNames.word(column))"
          )
          return TablePlan(choice: choice, kinds: kinds, missing: options.missing)
        }
        try checkCategories(column, parts)
      case .date where texts > 0:
        let (text, line) = firstText(column, parts)
        throw DistsgdError(
          .badData,
          "'\(printable(text))' is no date, \(source) row \(line), column '\(name(column))': expected one such as 2024-01-31; or leave the column out with --exclude \(columnNames.word(column))"
        )
      default: break
      }
    }
    return kinds == plan.kinds ? nil : TablePlan(choice: choice, kinds: kinds, missing: options.missing)
  }

  /// The first text that is no number, and its line in the file.
  private func firstText(_ column: Int, _ parts: [TablePart]) -> (String, Int) {
    var before = 0
    for part in parts {
      if let (text, line) = part.tallies[column].firstText { return (text, line + before) }
      before += part.lines
    }
    return ("", 0)
  }

  private func notANumber(
    _ text: String, _ line: Int, _ column: Int, _ count: Int, of present: Int
  ) -> DistsgdError {
    let others = count > 1 ? ", and \(count - 1) more such" : ""
    let advice =
      model == nil
      ? "expected one such as 1.5 or -2e3; \(columnNames.wayOut(text, in: column, isTarget: choice.targets.contains(column)))"
      : "the model was trained on numbers there; expected one such as 1.5 or -2e3"
    let header =
      line == spelling.parser.firstLine && !spelling.isNamed
      ? " (row 1 was not taken for a header: --header yes takes it as one)" : ""
    return DistsgdError(
      .badData,
      "'\(printable(text))' is not a number, \(source) row \(line), column '\(name(column))'\(others): \(advice)\(header)"
    )
  }

  /// Texts may be too many, be dates, or be mistakes among numbers.
  private mutating func checkCategories(_ column: Int, _ parts: [TablePart]) throws(DistsgdError) {
    var uses = (all: 0, numbers: 0)
    var firstText: (text: String, line: Int)?
    var isFull = false
    var before = 0
    var number = 0
    for part in parts {
      guard let table = part.tables[column] else { return }
      isFull = isFull || table.isFull
      for category in table.categories where !category.isMissing {
        number += 1
        uses.all += category.uses
        if spelling.parser.number(category.text) != nil {
          uses.numbers += category.uses
        } else if firstText == nil {
          firstText = (category.text, category.line + before)
        }
      }
      before += part.lines
    }
    guard let (text, line) = firstText else { return }
    let isTarget = choice.targets.contains(column)
    if model == nil || isTarget, DateText(text) != nil, uses.numbers == 0, isAllDates(column, parts) {
      try requireDates(column, text)
    }
    let texts = uses.all - uses.numbers
    if model == nil || isTarget, 10 * texts < uses.all, !isOfCodes(column, text, texts) {
      throw notANumber(text, line, column, 1, of: uses.all)
    }
    let limit = isTarget ? maximumClassCount : maximumCategoryCount
    if isFull || (model == nil && number > limit && categoryTexts(of: column, parts).count > limit) {
      throw DistsgdError(
        .badData,
        isTarget
          ? "more than \(grouped(limit)) different texts such as '\(printable(text))', \(source) column '\(name(column))': they are too many classes; name another column with --target"
          : "more than \(grouped(limit)) different texts such as '\(printable(text))', \(source) column '\(name(column))': leave it out with --exclude \(columnNames.word(column)), or carry it into predictions with --id"
      )
    }
    if model == nil, uses.numbers > 0 {
      notes.append(
        "column '\(name(column))' of \(source) holds numbers and texts such as '\(printable(text))': all are taken as categories\(missingValueFlag(text).map { "; if the texts mean that the value is missing, say \($0)" } ?? "")"
      )
    }
  }

  /// Whether a column that nobody asked for has more texts than inputs can be made of, as names and titles have.
  private func hasTooManyTexts(_ column: Int, _ parts: [TablePart]) -> Bool {
    guard model == nil, choice.features.contains(column), choice.features.count > 1,
      case .chosen(let wishes) = options.columns, wishes.features == nil
    else { return false }
    return parts.contains { $0.tables[column]?.isFull == true }
      || categoryTexts(of: column, parts).count > maximumCategoryCount
  }

  /// Whether texts among many numbers are codes such as 136, 136A, 137, and no mistakes.
  private func isOfCodes(_ column: Int, _ text: String, _ texts: Int) -> Bool {
    texts > 1 && text.contains(where: \.isNumber) && text.contains(where: \.isLetter)
      && spelling.rows.allSatisfy { row in
        guard column < row.fields.count, spelling.parser.number(row.fields[column]) != nil else {
          return true
        }
        return Int(row.fields[column]) != nil
      }
  }

  private func isAllDates(_ column: Int, _ parts: [TablePart]) -> Bool {
    parts.allSatisfy { part in
      part.tables[column]!.categories.allSatisfy { $0.isMissing || DateText($0.text) != nil }
    }
  }
}
