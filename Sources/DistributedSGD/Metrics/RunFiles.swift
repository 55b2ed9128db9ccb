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
    timings = try TextFile(creating: folder.timings)
    _ = metrics.lock()
  }

  /// Opens the files of a run that is to go on. A job that is just ending is given some seconds to end.
  /// - Throws: `DistsgdError` (`noInput`; `cannotCreate` when the run is still going on).
  init(continuing folder: OutputFolder) throws {
    self.folder = folder
    metrics = try TextFile(continuing: folder.metrics)
    timings = try TextFile(continuing: folder.timings)
    let deadline = monotonicSeconds() + 10
    while !metrics.lock() {
      guard monotonicSeconds() < deadline else {
        throw DistsgdError(
          .cannotCreate,
          "--resume: the run in '\(folder.path)' is still going on; wait for its end, or stop it")
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
