// What goes to a file that others read while it grows: bytes are collected, and written together once a second.

package final class CollectedOutput {
  /// What is not written yet.
  package var bytes: [UInt8] = []
  private let file: TextFile
  private var lastWrite = monotonicSeconds()
  private static let limit = 1 << 16
  private static let secondsBetweenWrites = 1.0

  package init(to file: TextFile) {
    self.file = file
    bytes.reserveCapacity(2 * Self.limit)
  }

  /// Where an error ends the run, what was told last is on disk too.
  deinit { try? flush() }

  /// Writes where enough has come together, or the last time is a second ago.
  /// - Throws: `DistsgdError` (`inputOutput`), for example when the disk is full; what was written stays.
  package func flushIfDue() throws {
    if bytes.count >= Self.limit || monotonicSeconds() - lastWrite > Self.secondsBetweenWrites { try flush() }
  }

  /// - Throws: as `flushIfDue`.
  package func flush() throws {
    defer { bytes.removeAll(keepingCapacity: true) }
    try bytes.withUnsafeBytes { try file.append($0) }
    lastWrite = monotonicSeconds()
  }
}
