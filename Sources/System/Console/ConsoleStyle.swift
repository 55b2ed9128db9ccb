// How lines for people look: as text, each of another rank than the first with its rank and host, or as JSON objects.
import Synchronization
import Text

/// The same for all that this process prints.
package enum ConsoleStyle {
  private struct State {
    var rank = 0
    var host = ""
    var isJSON = false
  }

  private static let state = Mutex(State())

  /// From now on lines of this rank are told from those of others.
  package static func setRank(_ rank: Int, host: String) {
    state.withLock { ($0.rank, $0.host) = (rank, visible(host)) }
  }

  /// From now on every line is one JSON object.
  package static func useJSON() { state.withLock { $0.isJSON = true } }

  package static var isJSON: Bool { state.withLock { $0.isJSON } }

  /// A line of warnings and errors. `distsgd: error: ` stays in front, for those who look for it.
  static func line(ofError text: String) -> String {
    let state = state.withLock { $0 }
    let (level, message) = parts(text)
    if state.isJSON { return object(level, message, state) }
    guard state.rank > 0 else { return text }
    let tag = "[\(state.rank)@\(state.host)] "
    return level == "error" ? "\(errorStart)\(tag)\(message)" : tag + text
  }

  /// Lines of results, or of progress. What is an object already stays one.
  static func lines(_ text: String, level: String) -> String {
    let state = state.withLock { $0 }
    guard state.isJSON || state.rank > 0 else { return text }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let shown = lines.last == "" ? lines.dropLast() : lines[...]
    return shown.map { line in
      if state.isJSON {
        return line.hasPrefix("{") ? String(line) : line.isEmpty ? "" : object(level, String(line), state)
      }
      return "[\(state.rank)@\(state.host)] \(line)"
    }.filter { !state.isJSON || !$0.isEmpty }.map { $0 + "\n" }.joined()
  }

  private static let errorStart = "distsgd: error: "

  /// What kind of line it is, and what it says.
  private static func parts(_ text: String) -> (level: String, message: String) {
    for level in ["error", "warning", "note"] {
      let start = "distsgd: \(level): "
      if text.hasPrefix(start) { return (level, String(text.dropFirst(start.count))) }
    }
    return ("note", text.hasPrefix("distsgd: ") ? String(text.dropFirst(9)) : text)
  }

  private static func object(_ level: String, _ message: String, _ state: State) -> String {
    var line = head(level, state)
    line["message"] = message
    return line.description
  }

  private static func head(_ level: String, _ state: State) -> JSONLine {
    var line = JSONLine()
    line["time"] = utcTime()
    line["level"] = level
    line["rank"] = state.rank
    line["host"] = state.host
    return line
  }

  /// The beginning of an object about progress.
  package static var progress: JSONLine { head("progress", state.withLock { $0 }) }
}
