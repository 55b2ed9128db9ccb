// The files of an experiment: figures, an HTML page with all of them, and the curves as CSV.
import System

/// Writes what rank 0 shows of an experiment to a folder.
package struct ReportFiles {
  package let folder: String

  /// - Parameter path: nil is `runs/<UTC time>`.
  /// - Throws: `DistsgdError` (`cannotCreate`).
  package init(creating path: String?) throws {
    folder = try path ?? OutputFolder.makeDefault()
    try makeFolder(folder)
  }

  /// Writes a whole file, or leaves the old one.
  /// - Throws: `DistsgdError` (`cannotCreate`, `inputOutput`).
  package func write(_ text: String, as name: String) throws {
    try ReplacementFile.write(text, to: folder + "/" + name)
  }
}
