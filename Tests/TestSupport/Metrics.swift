// metrics.jsonl as tests read it.
import Foundation

/// One event of `metrics.jsonl`.
public struct Event {
  public let name: String
  /// What `JSONSerialization` makes of the line.
  public let fields: [String: Any]

  /// A number, exactly as written; NaN, which equals nothing, where there is none.
  public func number(_ key: String) -> Double { (fields[key] as? NSNumber)?.doubleValue ?? .nan }

  /// A text; empty where there is none.
  public func text(_ key: String) -> String { fields[key] as? String ?? "" }
}

/// A line that is no event.
public struct MetricsError: Error, CustomStringConvertible {
  public let description: String
}

/// Every line of a `metrics.jsonl`.
public func readMetrics(_ path: String) throws -> [Event] {
  let text = try readFile(path)
  guard text.hasSuffix("\n") else { throw MetricsError(description: "\(path) does not end with a line feed") }
  return try text.split(separator: "\n").map { line in
    guard let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
      let name = fields["event"] as? String
    else { throw MetricsError(description: "\(path): no event: \(line)") }
    return Event(name: name, fields: fields)
  }
}
