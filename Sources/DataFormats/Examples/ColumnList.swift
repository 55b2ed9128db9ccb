// Columns as the command line has them: names and numbers with commas, quoted as in CSV, and ranges of numbers.
import System
import Text

/// What stands between the commas of `--features`, `--exclude` and `--target`.
public enum ColumnList {
  /// `a,"b,c",2-13` as a, b,c and 2-13; a text without commas and quotes is one name.
  public static func parse(_ text: String) -> [String] {
    var names: [String] = []
    var name = ""
    var isQuoted = false
    var wasQuoted = false
    var rest = Substring(text)
    while let character = rest.popFirst() {
      switch character {
      case "\"" where isQuoted:
        if rest.first == "\"" {
          name.append(rest.removeFirst())
        } else {
          isQuoted = false
        }
      case "\"" where name.isEmpty && !wasQuoted:
        (isQuoted, wasQuoted) = (true, true)
      case "," where !isQuoted:
        names.append(name)
        (name, wasQuoted) = ("", false)
      default: name.append(character)
      }
    }
    return names + [name]
  }

  /// The text that `parse` makes these names of.
  public static func text(_ names: [String]) -> String {
    names.map { name in
      guard name.contains(where: { ",\"".contains($0) }) else { return name }
      return "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        + "\""
    }.joined(separator: ",")
  }
}

/// The columns of a table by which a user can name one.
struct ColumnNames {
  let names: [String]
  let source: String

  /// The columns of a list, in its order.
  /// - Throws: `usage` for one that is not there, or is there twice.
  func columns(_ list: [String], flag: String) throws(DistsgdError) -> [Int] {
    guard !list.isEmpty else { throw DistsgdError(.usage, "\(flag) names no column: name at least one") }
    var found: [Int] = []
    for word in list {
      if let range = range(word) {
        guard range.upperBound <= names.count, range.lowerBound >= 1 else {
          throw DistsgdError(
            .usage, "no columns \(word), \(source), \(flag): it has the columns 1 to \(names.count)")
        }
        found += range.map { $0 - 1 }
      } else {
        found.append(try column(word, flag: flag))
      }
    }
    return found
  }

  /// A column by name, else by its number counted from 1.
  func column(_ name: String, flag: String) throws(DistsgdError) -> Int {
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

  /// The columns of these names, nil where there is none: of columns with one name each is another, as they come.
  func inOrder(_ wanted: [String]) -> [Int?] {
    var places: [String: [Int]] = [:]
    for (index, name) in names.enumerated().reversed() { places[name, default: []].append(index) }
    return wanted.map { places[$0]?.popLast() }
  }

  /// What a user types for a column after a flag: its name, or its number where the name is long, unseen, not the
  /// only one, or like a flag.
  func word(_ column: Int) -> String {
    let name = names[column]
    let isClear =
      printable(name) == name && !name.isEmpty && !name.hasPrefix("-")
      && names.count(where: { $0 == name }) == 1
    return isClear ? shellWord(ColumnList.text([name]), isPath: false) : String(column + 1)
  }

  /// What can be done about a text that does not belong into a column.
  func wayOut(_ text: String, in column: Int, isTarget: Bool = false) -> String {
    let missing = missingValueFlag(text).map { "call it missing with \($0), " } ?? ""
    return "mend it, \(missing)or "
      + (isTarget
        ? "name another column with --target" : "leave the column out with --exclude \(word(column))")
  }

  /// `2-13`, where that is no column's name.
  private func range(_ word: String) -> ClosedRange<Int>? {
    guard !names.contains(word) else { return nil }
    let parts = word.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let first = Int(parts[0]), let last = Int(parts[1]), first <= last else {
      return nil
    }
    return first...last
  }
}

/// How a text is called missing; nil where it is too long for a command, or cannot be seen.
func missingValueFlag(_ text: String) -> String? {
  guard printable(text) == text, !text.isEmpty else { return nil }
  return (text.hasPrefix("-") ? "--missing-value=" : "--missing-value ")
    + shellWord(ColumnList.text([text]), isPath: false)
}
