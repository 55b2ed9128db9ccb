// metrics.jsonl: one event a line, on disk at every evaluation.
import System

/// Appends events to `metrics.jsonl`. Lines are collected and written together; `flush` writes them at once.
package final class MetricsWriter {
  private let file: TextFile
  private var buffer: [UInt8] = []
  private static let bufferLimit = 1 << 16
  private static let secondsBetweenWrites = 1.0
  private var lastWrite = monotonicSeconds()

  /// - Throws: `DistsgdError` (`cannotCreate`).
  package convenience init(path: String) throws {
    self.init(try TextFile(creating: path))
  }

  init(_ file: TextFile) {
    self.file = file
    buffer.reserveCapacity(2 * Self.bufferLimit)
  }

  /// A run that ends by an error has its last lines on disk too.
  deinit { try? flush() }

  /// - Throws: `DistsgdError` (`inputOutput`), for example when the disk is full; what was written stays.
  package func write(_ line: JSONLine) throws {
    line.append(to: &buffer)
    if buffer.count >= Self.bufferLimit || monotonicSeconds() - lastWrite > Self.secondsBetweenWrites {
      try flush()
    }
  }

  package func flush() throws {
    defer { buffer.removeAll(keepingCapacity: true) }
    try buffer.withUnsafeBytes { try file.append($0) }
    lastWrite = monotonicSeconds()
  }
}
