// Which fields of a table stand for a value that is not there.
import Text

/// The words for a missing value: those that everybody knows, and those of `--missing-value`.
package struct MissingWords: Sendable, Equatable {
  /// As the user has them.
  var own: Set<String> = []

  /// As pandas and R write them, in columns of any kind; an empty field is missing too.
  private static let words: Set = [
    "", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "nan", "NaN", "NAN", "-nan", "-NaN", "NULL", "null",
    "None", "?",
  ]

  /// Among numbers no text is a value, so that these cannot mean anything else there.
  private static let wordsAmongNumbers: Set = ["na", "n/a", "nan", "+nan", "null", "none", ".", "-"]

  /// Whether a field without quotes, of numbers or of texts, is none.
  func contains(_ text: String, amongNumbers: Bool) -> Bool {
    if Self.words.contains(text) || own.contains(text) { return true }
    return amongNumbers && Self.wordsAmongNumbers.contains(text.lowercased())
  }

  /// The numbers among the user's words: `-999` means −999.0 too.
  var ownNumbers: [Double] { own.compactMap { decimalNumber($0) } }
}

extension MissingWords {
  /// What stands for a missing value among texts, whatever the user says; in the order of their letters.
  package static let amongTexts = words.sorted()
}

/// How a whole column of missing values is told from a header: none of these is a name.
func isMissingWord(_ text: String) -> Bool { MissingWords().contains(text, amongNumbers: true) }

/// Numbers that no training can use, which are not missing either.
func isInfinite(_ text: String) -> Bool {
  ["inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"].contains(text.lowercased())
}
