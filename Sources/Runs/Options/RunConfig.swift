// `config.yaml` of a run: its settings, as `--config` reads them, so that the run can be made again.
import System
import Text

/// The text of a run's `config.yaml`.
/// - Parameters:
///   - settings: flags with their words, as `TrainingOptions.settings` has them.
///   - comments: lines for people.
package func configText(_ settings: [String: String], comments: [String]) -> String {
  let head = comments.map { "# \(visible($0))\n" }.joined()
  return head
    + settings.sorted { $0.key < $1.key }.map { flag, word in
      "\(flag.drop { $0 == "-" }): \(yamlWord(word))\n"
    }.joined()
}

/// A word that YAML reads as the same text: as it is where it is a number, true or false, else in quotes.
private func yamlWord(_ word: String) -> String {
  if decimalNumber(word) != nil || word == "true" || word == "false" { return word }
  // A JSON string is one of YAML's in double quotes.
  var bytes: [UInt8] = []
  word.appendJSON(to: &bytes)
  return String(decoding: bytes, as: UTF8.self)
}

extension TrainingOptions {
  /// What repeats the run on any number of ranks: its settings, with the shards that it has.
  func configSettings(shards: Int) -> [String: String] {
    var settings = settings
    settings["--shards"] = "\(shards)"
    settings["--time-limit"] = timeLimit?.description
    settings["--bind"] = binding == .none ? nil : binding.rawValue
    return settings
  }
}
