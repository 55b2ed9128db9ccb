// Short hashes of a model file's metadata, entry by entry: where one was edited, its name is told.
import System
import Text

package enum MetadataDigests {
  /// The entry that holds them.
  package static let key = "digests"

  /// `DIGEST key=DIGEST key=DIGEST …` by key; the first is of all that follows.
  package static func text(of metadata: [String: String]) -> String {
    let entries = metadata.filter { $0.key != key }.sorted { $0.key < $1.key }
      .map { "\($0.key)=\(digest("\($0.key)=\($0.value)"))" }.joined(separator: " ")
    return "\(digest(entries)) \(entries)"
  }

  /// - Throws: `DistsgdError` (`badData`) that names the first entry which is not as it was written.
  package static func check(_ metadata: [String: String], path: String) throws {
    guard let text = metadata[key] else {
      throw DistsgdError(
        .badData,
        "'\(path)' has no metadata entry '\(key)': another program wrote it, or a distsgd whose models do not tell how they were made; train the model again"
      )
    }
    func edited(_ what: String) -> DistsgdError {
      DistsgdError(.badData, "'\(path)' was edited: \(what); take the file as distsgd wrote it")
    }
    var words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    let own = words.removeFirst()
    guard own == digest(words.joined(separator: " ")) else {
      throw edited("the metadata entry '\(key)' is not the one that was written")
    }
    var missing = Set(words.compactMap { word in word.lastIndex(of: "=").map { String(word[..<$0]) } })
    let written = Set(words)
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where key != Self.key {
      guard missing.remove(key) != nil else {
        throw edited("the metadata entry '\(printable(key))' was added")
      }
      guard written.contains("\(key)=\(digest("\(key)=\(value)"))") else {
        throw edited(
          "the metadata entry '\(printable(key))' is '\(printable(value))', which is not what was written")
      }
    }
    if let key = missing.min() { throw edited("the metadata entry '\(printable(key))' is missing") }
  }

  private static func digest(_ text: String) -> String {
    String(hexadecimal(Array(text.utf8).withUnsafeBytes { xxh64($0) }).suffix(8))
  }
}
