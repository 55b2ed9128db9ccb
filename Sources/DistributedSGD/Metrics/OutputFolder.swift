// The folder of a run: made new, never on top of another run.
import Glibc

/// Creates the folder of a run and names its files.
public struct OutputFolder: Sendable {
  public let path: String

  /// Makes `path` and its parents. An existing folder is taken if no run has been written there.
  /// - Throws: `DistsgdError` (`cannotCreate`).
  public init(creating path: String) throws {
    self.path = path
    do throws(DistsgdError) {
      try makeFolder(path)
    } catch {
      throw DistsgdError(error.code, "--output: \(error)")
    }
    if access(metrics, F_OK) == 0 {
      throw DistsgdError(
        .cannotCreate, "--output: '\(path)' already holds a run; name another folder, or remove this one")
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

  public var metrics: String { path + "/metrics.jsonl" }
  public var timings: String { path + "/timings.csv" }
  public var model: String { path + "/model.safetensors" }

  /// `runs/<UTC time>`, with a number behind it if that is taken.
  public static func defaultPath() -> String {
    var now = time(nil)
    var parts = tm()
    gmtime_r(&now, &parts)
    var text = [CChar](repeating: 0, count: 64)
    strftime(&text, text.count, "runs/%Y-%m-%dT%H%M%SZ", &parts)
    let base = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    var path = base
    var number = 2
    while access(path, F_OK) == 0 {
      path = "\(base)-\(number)"
      number += 1
    }
    return path
  }
}
