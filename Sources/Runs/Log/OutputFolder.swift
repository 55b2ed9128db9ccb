// The folder of a run: made new, never on top of another run.
import Glibc
import System

/// Creates the folder of a run and names its files.
package struct OutputFolder: Sendable {
  package let path: String

  /// Makes `path` and its parents. An existing folder is taken if no run has been written there.
  /// - Throws: `DistsgdError` (`cannotCreate`).
  package init(creating path: String) throws {
    self.path = path
    do throws(DistsgdError) {
      try makeFolder(path)
    } catch {
      throw DistsgdError(error.code, "--output: \(error)")
    }
    // All of a run's files are its own: none is written over, and no folder of checkpoints is shared.
    for file in [metrics, timings, model, config, checkpoints] + tables where FileIdentity(at: file) != nil {
      throw DistsgdError(
        .cannotCreate,
        "--output: '\(path)' already holds a run, or a part of one (\(baseName(file))); name another folder, or remove this one"
      )
    }
  }

  /// A folder that nobody writes to: that of a rank other than 0.
  init(unchecked path: String) { self.path = path }

  /// The folder of a run that is to go on.
  init(continuing path: String) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
  }

  package var metrics: String { path + "/metrics.jsonl" }
  package var timings: String { path + "/timings.csv" }
  /// `waits.csv`, `heatmap.csv` and `ranks.csv`.
  package var tables: [String] { RunTables.all.map { path + "/" + $0.name } }
  package var model: String { path + "/model.safetensors" }
  package var config: String { path + "/config.yaml" }
  var checkpoints: String { path + "/checkpoints" }

  /// Makes `runs/<UTC time>`, with a number behind it if that is taken: each caller has a folder of its own, also of
  /// several that ask in the same second.
  /// - Throws: `DistsgdError` (`cannotCreate`).
  package static func makeDefault() throws -> String {
    var now = time(nil)
    var parts = tm()
    gmtime_r(&now, &parts)
    var text = [CChar](repeating: 0, count: 64)
    strftime(&text, text.count, "runs/%Y-%m-%dT%H%M%SZ", &parts)
    let base = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    try makeFolder(parentFolder(base))
    var path = base
    var number = 2
    while mkdir(path, 0o777) != 0 {
      guard errno == EEXIST else {
        throw DistsgdError(
          .cannotCreate,
          "cannot create the folder '\(path)': \(errorText(errno)); name one that can be written to, by --output"
        )
      }
      path = "\(base)-\(number)"
      number += 1
    }
    try syncFolder(parentFolder(path))
    return path
  }
}
