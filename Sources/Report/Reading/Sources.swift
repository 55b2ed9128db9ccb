// What is named on the command line, and what is found there: runs, trials, benches.
import Glibc
import System
import Text

/// Everything that a page is made of.
package struct Sources: Sendable {
  package var runs: [RunRecord] = []
  package var trials: [TrialsRecord] = []
  package var benches: [BenchRecord] = []

  private static let limit = 256

  /// Reads what the paths name: a run's folder or its metrics.jsonl, a folder of several, what `chapter`, `sweep` or
  /// `bench` has left.
  /// - Throws: `DistsgdError` (`noInput`, `inputOutput`, `badData`).
  package init(_ paths: [String]) throws {
    var metrics: [String] = []
    for path in paths { try find(path, &metrics) }
    guard metrics.count <= Self.limit else {
      throw DistsgdError(
        .usage,
        "there are \(metrics.count) runs; a page of at most \(Self.limit) can be looked at: name fewer")
    }
    for (path, name) in zip(metrics, Self.names(metrics)) {
      var record = try MetricsReader.read(path, name: name)
      try record.readRankFiles()
      runs.append(record)
    }
  }

  private mutating func find(_ path: String, _ metrics: inout [String]) throws {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    switch pathKind(path) {
    case .missing:
      throw DistsgdError(
        .noInput, "no such file or folder: \(sourceName(path)); name a run's folder, or its metrics.jsonl")
    case .file, .other:
      if path.hasSuffix(".json") {
        benches.append(try BenchRecord(path))
      } else if path.hasSuffix(".csv") {
        trials.append(try trialsFile(path))
      } else {
        metrics.append(path)
      }
    case .directory:
      let before = metrics.count + trials.count + benches.count
      try findInside(path, &metrics)
      guard metrics.count + trials.count + benches.count > before else {
        throw DistsgdError(
          .noInput,
          "\(sourceName(path)) holds nothing to report: there is no metrics.jsonl in it or in its folders, and nothing that sweep, chapter or bench leaves; name a run's folder"
        )
      }
    }
  }

  private mutating func findInside(_ folder: String, _ metrics: inout [String]) throws {
    if pathKind(folder + "/metrics.jsonl") == .file {
      metrics.append(folder + "/metrics.jsonl")
      return
    }
    for entry in folderEntries(folder) {
      let path = folder + "/" + entry
      switch pathKind(path) {
      case .directory where pathKind(path + "/metrics.jsonl") == .file:
        metrics.append(path + "/metrics.jsonl")
      case .file where entry.hasSuffix(".csv"):
        let file = try CSVFile(path)
        if TrialsRecord.isHeader(file.header) {
          trials.append(try TrialsRecord(file, path: path))
          try trials[trials.count - 1].readResults()
        }
      case .file where entry.hasSuffix(".json"):
        // A sweep keeps its command line in such a file, as an event.
        if let bench = try? BenchRecord(path), case .object = bench.numbers, bench.numbers["event"] == nil {
          benches.append(bench)
        }
      default: break
      }
    }
  }

  private func trialsFile(_ path: String) throws -> TrialsRecord {
    let file = try CSVFile(path)
    guard TrialsRecord.isHeader(file.header) else {
      throw DistsgdError(
        .badData,
        "\(sourceName(path)), line 1: it is no file of curves, whose header begins with run and has examples and loss; name what sweep or chapter has left, or a run's folder"
      )
    }
    var record = try TrialsRecord(file, path: path)
    try record.readResults()
    return record
  }

  /// The shortest ends of the paths that tell the folders apart.
  private static func names(_ metrics: [String]) -> [String] {
    let parts = metrics.map { path in
      let folder = path.hasSuffix("/metrics.jsonl") ? String(path.dropLast("/metrics.jsonl".count)) : path
      return absolute(folder).split(separator: "/").map(String.init)
    }
    func name(_ index: Int, _ count: Int) -> String {
      parts[index].isEmpty ? "/" : parts[index].suffix(count).joined(separator: "/")
    }
    return parts.indices.map { index in
      let longest = max(parts[index].count, 1)
      let count = (1...longest).first { count in
        !parts.indices.contains { $0 != index && name($0, count) == name(index, count) }
      }
      // The same run twice has its number.
      return printable(name(index, count ?? 1), limit: 60) + (count == nil ? " (\(index + 1))" : "")
    }
  }

  private static func absolute(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

/// The names in a folder, in order; none where it cannot be read.
func folderEntries(_ path: String) -> [String] {
  guard let folder = OpenFolder(path, followsLink: true) else { return [] }
  return folder.entries().sorted()
}

/// The path of a file in the folder of another one.
func beside(_ path: String, _ name: String) -> String {
  path.contains("/") ? parentFolder(path) + name : name
}
