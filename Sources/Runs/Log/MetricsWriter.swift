// metrics.jsonl: one event a line, on disk at every evaluation.
import System

/// Appends events to `metrics.jsonl`. Lines are collected and written together; `flush` writes them at once.
package final class MetricsWriter {
  private let output: CollectedOutput

  /// - Throws: `DistsgdError` (`cannotCreate`).
  package convenience init(path: String) throws {
    self.init(try TextFile(creating: path))
  }

  init(_ file: TextFile) { output = CollectedOutput(to: file) }

  /// - Throws: `DistsgdError` (`inputOutput`), for example when the disk is full; what was written stays.
  package func write(_ line: JSONLine) throws {
    line.append(to: &output.bytes)
    try output.flushIfDue()
  }

  package func flush() throws { try output.flush() }
}
