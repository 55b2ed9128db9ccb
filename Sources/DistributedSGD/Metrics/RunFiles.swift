// The open files of a run: one process at a time writes them.
import Glibc

struct RunFiles {
  let folder: OutputFolder
  let metrics: TextFile
  let timings: TextFile

  /// - Throws: `DistsgdError` (`cannotCreate`).
  init(creating folder: OutputFolder) throws {
    self.folder = folder
    metrics = try TextFile(creating: folder.metrics)
    // Who resumes at this moment finds no checkpoint, and gives the lock back.
    try Self.waitForLock(metrics, of: folder, flag: "--output")
    timings = try TextFile(creating: folder.timings)
  }

  /// Opens the files of a run that is to go on. A job that is just ending is given some seconds to end.
  /// - Throws: `DistsgdError` (`noInput`; `cannotCreate` when the run is still going on).
  init(continuing folder: OutputFolder) throws {
    self.folder = folder
    var metrics = try TextFile(continuing: folder.metrics)
    try Self.waitForLock(metrics, of: folder, flag: "--resume")
    // Another file may have been given its name meanwhile.
    while !metrics.isInPlace {
      metrics = try TextFile(continuing: folder.metrics)
      try Self.waitForLock(metrics, of: folder, flag: "--resume")
    }
    self.metrics = metrics
    // All else is opened and measured under the lock: until then it may still be written.
    timings = try TextFile(continuing: folder.timings)
  }

  private static func waitForLock(_ metrics: TextFile, of folder: OutputFolder, flag: String) throws {
    let deadline = monotonicSeconds() + 10
    while !metrics.lock() {
      guard monotonicSeconds() < deadline else {
        throw DistsgdError(
          .cannotCreate,
          "\(flag): the run in '\(folder.path)' is still going on; wait for its end, or stop it")
      }
      usleep(20_000)
    }
  }

  /// Whether the run has told its end.
  var haveEnd: Bool {
    guard let file = try? FileBytes(metrics.path) else { return false }
    return withExtendedLifetime(file) {
      let lastLine = file.bytes.dropLast().lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
      return file.bytes.dropFirst(lastLine).starts(with: #"{"event":"end""#.utf8)
        && file.bytes.last == UInt8(ascii: "\n")
    }
  }
}
