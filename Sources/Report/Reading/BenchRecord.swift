// What `bench --output` leaves: numbers as one JSON object, and plots.
import System
import Text

/// The files of a bench.
package struct BenchRecord: Sendable {
  /// The file's name without its ending.
  package let name: String
  package let path: String
  package let numbers: JSONTree
  /// SVG documents by the names of their files.
  package var plots: [(name: String, svg: String)] = []

  private static let largest = 1 << 24

  /// - Throws: `DistsgdError` (`noInput`, `inputOutput`, `badData`).
  init(_ path: String) throws {
    self.path = path
    name = String(baseName(path).dropLast(".json".count))
    let file = try FileBytes(path, takesPipe: false)
    numbers = try withExtendedLifetime(file) {
      guard file.bytes.count <= Self.largest else {
        throw DistsgdError(
          .badData,
          "\(sourceName(path)): it is larger than \(Self.largest >> 20) MiB; no bench writes as much")
      }
      var scanner = JSONScanner(file.bytes)
      do {
        let tree = try JSONTree(&scanner, of: file.bytes)
        try scanner.end()
        return tree
      } catch let failure as JSONScanner.Failure {
        throw DistsgdError(
          .badData,
          "\(sourceName(path)), byte \(failure.offset + 1): \(failure.what); name the JSON object of a bench, as --output leaves it"
        )
      }
    }
    for plot in folderEntries(parentFolder(path)) where plot.hasSuffix(".svg") && plot.hasPrefix(name) {
      guard plots.count < 16, let svg = try? FileBytes(beside(path, plot), takesPipe: false) else { continue }
      withExtendedLifetime(svg) {
        guard svg.bytes.count <= 1 << 22 else { return }
        plots.append((String(plot.dropLast(4)), String(decoding: svg.bytes, as: UTF8.self)))
      }
    }
  }
}
