// What is read of a table, and what one pass over a part of its rows leaves.
import System

/// What a column's fields are read as.
enum ColumnKind: Sendable, Equatable {
  case number
  /// A text of several: its number among them.
  case category
  /// Seconds since 1970.
  case date
  /// A text that is kept as it is.
  case identifier
}

/// Which columns are read, as what, and where to.
struct TablePlan: Equatable {
  var choice: ColumnChoice
  /// One a column of the file.
  var kinds: [ColumnKind]
  var missing: MissingWords
  /// The most texts of a column.
  var limits: [Int]
  /// Where each column of the file goes: a feature's position, after these the others', −1 for nowhere.
  private(set) var slots: [Int]

  var featureCount: Int { choice.features.count }
  /// Columns that are read beside the features: targets, weight, identifier.
  var others: [Int] { choice.targets + [choice.weight, choice.identifier].compactMap { $0 } }
  private(set) var otherCount: Int

  init(choice: ColumnChoice, kinds: [ColumnKind], missing: MissingWords) {
    self.choice = choice
    self.kinds = kinds
    self.missing = missing
    limits = [Int](repeating: maximumCategoryCount, count: kinds.count)
    slots = [Int](repeating: -1, count: kinds.count)
    otherCount = 0
    otherCount = others.count
    for (place, column) in (choice.features + others).enumerated() { slots[column] = place }
    for target in choice.targets { limits[target] = maximumClassCount }
    if let identifier = choice.identifier { self.kinds[identifier] = .identifier }
  }
}

/// What is odd about a column so far.
struct ColumnTally {
  var missing = 0
  /// How the first of them is written, and its line as the part counts.
  var firstMissing: (text: String, line: Int)?
  /// Fields that are neither a number, where numbers are read, nor missing.
  var texts = 0
  /// The first of them, and its line as the part counts.
  var firstText: (text: String, line: Int)?
}

/// The rows of one part of a table.
struct TablePart {
  /// Shape (rows, features).
  let features: UnsafeMutableBufferPointer<Double>
  /// Shape (rows, others).
  let others: UnsafeMutableBufferPointer<Double>
  /// One a column of the file; nil for columns of no categories.
  let tables: [CategoryTable?]
  var identifiers: [String] = []
  var count = 0
  /// Lines that the part's rows take, and those of comments.
  var lines = 0
  var comments = 0
  private(set) var tallies: [ColumnTally]
  /// Whether a missing value is written as a word, and not only left out.
  private var hasMissingWord = false

  /// Whether all missing values are empty fields.
  var onlyEmptyIsMissing: Bool {
    !hasMissingWord
      && tables.allSatisfy { $0?.categories.allSatisfy { !$0.isMissing || $0.text.isEmpty } ?? true }
  }

  init(_ plan: TablePlan, features: UnsafeMutableBufferPointer<Double>, rows: Int) {
    self.features = features
    others = .allocate(capacity: max(1, rows * plan.otherCount))
    tables = plan.kinds.indices.map { column in
      plan.kinds[column] == .category && plan.slots[column] >= 0
        ? CategoryTable(missing: plan.missing, limit: plan.limits[column]) : nil
    }
    tallies = [ColumnTally](repeating: ColumnTally(), count: plan.kinds.count)
  }

  func deallocate() { others.deallocate() }

  mutating func note(missing text: String, _ column: Int, _ line: Int) {
    tallies[column].missing += 1
    if !text.isEmpty { hasMissingWord = true }
    if tallies[column].firstMissing == nil { tallies[column].firstMissing = (text, line) }
  }

  mutating func note(text: String, _ column: Int, _ line: Int) {
    tallies[column].texts += 1
    if tallies[column].firstText == nil { tallies[column].firstText = (text, line) }
  }
}
