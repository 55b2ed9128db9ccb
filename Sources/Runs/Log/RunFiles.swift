// The open files of a run: one process at a time writes them.
import Glibc
import System
import Text

struct RunFiles {
  let folder: OutputFolder
  let metrics: TextFile
  let timings: TextFile
  /// In the order of `RunTables.all`.
  let tables: [TextFile]
  let checkpoints: CheckpointFolder
  /// A random number that tells the run from all others, in its `run` event and in every checkpoint; nil for runs of
  /// former versions.
  let id: String?

  /// - Throws: `DistsgdError` (`cannotCreate`, `inputOutput`).
  init(creating folder: OutputFolder) throws {
    self.folder = folder
    guard let place = OpenFolder(folder.path, followsLink: true) else {
      throw DistsgdError(
        .cannotCreate,
        "--output: cannot open '\(folder.path)': \(errorText(errno)); name a folder that can be written to")
    }
    metrics = try TextFile(creating: folder.metrics, in: place)
    // Who resumes at this moment finds no checkpoint, and gives the lock back.
    try Self.waitForLock(metrics, of: folder, flag: "--output")
    timings = try TextFile(creating: folder.timings, in: place)
    tables = try folder.tables.map { try TextFile(creating: $0, in: place) }
    // A checkpoint that survives a power cut is of no use without them.
    try place.sync()
    checkpoints = CheckpointFolder(in: place)
    id = hexadecimal(UInt64.random(in: 0...UInt64.max))
  }

  /// Opens the files of a run that is to go on. A job that is just ending is given some seconds to end.
  /// - Throws: `DistsgdError` (`noInput`; `cannotCreate` when the run is still going on).
  init(continuing folder: OutputFolder) throws {
    self.folder = folder
    var (place, metrics) = try Self.open(folder)
    // Another file may have been given its name meanwhile.
    while !metrics.isInPlace { (place, metrics) = try Self.open(folder) }
    self.metrics = metrics
    // All else is opened, measured and read under the lock: until then it may still be written.
    timings = try TextFile(continuing: folder.timings, in: place)
    // Runs of former versions have none of these.
    let names = place.entries()
    tables = try folder.tables.map {
      names.contains(baseName($0))
        ? try TextFile(continuing: $0, in: place) : try TextFile(creating: $0, in: place)
    }
    for name in place.entries() where name.hasPrefix(baseName(folder.model) + ".tmp-") { place.remove(name) }
    id = runID(in: folder.metrics)
    checkpoints = CheckpointFolder(in: place)
    try checkpoints.open(ofRun: id)
  }

  /// The folder and its metrics, which are locked.
  private static func open(_ folder: OutputFolder) throws -> (OpenFolder, TextFile) {
    guard let place = OpenFolder(folder.path, followsLink: true) else {
      throw DistsgdError(
        .noInput, "--resume: cannot open '\(folder.path)': \(errorText(errno)); name the folder of a run")
    }
    let metrics = try TextFile(continuing: folder.metrics, in: place)
    try waitForLock(metrics, of: folder, flag: "--resume")
    return (place, metrics)
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

  /// - Throws: `DistsgdError` (`inputOutput`) when they are no longer those that have their names.
  func requirePlace() throws {
    for file in [metrics, timings] + tables { try file.requirePlace() }
  }

  /// Writes a file beside them. Whatever the system says of a folder that has gone, that it has is what is told.
  func inPlace(_ write: () throws -> Void) throws {
    try requirePlace()
    do { try write() } catch {
      try requirePlace()
      throw error
    }
  }

  /// Whether the run has told its end.
  var haveEnd: Bool {
    guard let file = try? FileBytes(metrics.path, takesPipe: false) else { return false }
    return withExtendedLifetime(file) {
      let lastLine = file.bytes.dropLast().lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
      return file.bytes.dropFirst(lastLine).starts(with: #"{"event":"end""#.utf8)
        && file.bytes.last == UInt8(ascii: "\n")
    }
  }
}

/// That of the `run` event, with which a run's metrics begin; nil where there is none.
private func runID(in metrics: String) -> String? {
  guard let file = try? FileBytes(metrics, takesPipe: false) else { return nil }
  return withExtendedLifetime(file) {
    let line = UnsafeRawBufferPointer(rebasing: file.bytes.prefix { $0 != UInt8(ascii: "\n") })
    var words: [String: String] = [:]
    var scanner = JSONScanner(line)
    try? scanner.object { scanner, key in
      if key == "event" || key == "id" { words[key] = try scanner.string() } else { try scanner.skipValue() }
    }
    return words["event"] == "run" ? words["id"] : nil
  }
}
