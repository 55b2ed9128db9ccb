// The curves that `chapter` and `sweep` leave: a CSV with every evaluation of every trial.
import System
import Text

/// A trial of a sweep.
package struct TrialRecord: Sendable {
  package var name: String
  /// Columns beside the curve that have one value for the trial: `global_batch`, `learning_rate`, … .
  package var settings: [String]
  /// By the names of their columns: `loss`, and what else was measured.
  package var curves = Curves()
}

/// All trials of a file.
package struct TrialsRecord: Sendable {
  package let path: String
  /// The file's name without its ending.
  package var name: String {
    let base = baseName(path)
    return base.hasSuffix(".csv") ? String(base.dropLast(4)) : base
  }
  /// Of `TrialRecord.settings`.
  package var settings: [String] = []
  package var trials: [TrialRecord] = []

  private static let measured: Set<String> = ["examples", "seconds", "epoch", "step"]

  /// Whether a CSV's header is that of such a file.
  static func isHeader(_ header: [String]) -> Bool {
    header.first == "run" && header.contains("loss") && header.contains("examples")
  }

  /// - Throws: `DistsgdError` (`noInput`, `inputOutput`, `badData`).
  init(_ file: CSVFile, path: String) throws {
    self.path = path
    let header = file.header
    let curves = header.indices.filter { isCurve(header[$0]) }
    let places = ["examples", "seconds"].map { header.firstIndex(of: $0) }
    let others = header.indices.filter {
      $0 > 0 && !curves.contains($0) && !Self.measured.contains(header[$0])
    }
    settings = others.map { header[$0] }
    var numbers: [String: Int] = [:]
    try file.forEachRow { row in
      let name = String(row.fields[0])
      let index = numbers[name] ?? trials.count
      if index == trials.count {
        guard index < 10_000 else { throw row.fail("there are more than 10000 runs") }
        numbers[name] = index
        trials.append(
          TrialRecord(
            name: printable(name, limit: 80), settings: others.map { printable(String(row.fields[$0])) }))
      }
      var place = Place()
      if let column = places[0] { place.examples = try row.number(column, "examples") }
      if let column = places[1] { place.seconds = try row.number(column, "seconds") }
      for column in curves {
        // A run that has diverged has no number there.
        let value = decimalNumber(row.fields[column]) ?? .nan
        trials[index].curves.add(value, to: header[column], at: place)
      }
    }
  }

  /// The values of a setting, one for each trial.
  package func values(of setting: String) -> [String]? {
    settings.firstIndex(of: setting).map { column in trials.map { $0.settings[column] } }
  }
}

/// Whether a column is a quantity over the run.
private func isCurve(_ name: String) -> Bool {
  name == "loss" || name == "accuracy" || name.hasSuffix("_loss") || name.hasSuffix("_accuracy")
    || name.hasPrefix("validation")
}
