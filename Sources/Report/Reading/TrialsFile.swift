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
  /// What each trial came to, as a sweep's own table has it: a header, and a row for every trial.
  package var results: (header: [String], rows: [[String]])?

  /// Whether a CSV's header is that of such a file.
  static func isHeader(_ header: [String]) -> Bool {
    header.first == "run" && header.contains("loss") && header.contains("examples")
  }

  /// - Throws: `DistsgdError` (`noInput`, `inputOutput`, `badData`).
  init(_ file: CSVFile, path: String) throws {
    self.path = path
    let header = file.header
    // run, settings, examples, seconds, and from the loss on what was measured there.
    let first = header.firstIndex(of: "loss") ?? header.count
    let curves = header.indices.filter { $0 >= first }
    let places = ["examples", "seconds"].map { header.firstIndex(of: $0) }
    let others = header.indices.filter { $0 > 0 && $0 < first && !places.contains($0) }
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

  /// Reads trials.csv, which a sweep leaves beside its curves.
  mutating func readResults() throws {
    let path = beside(self.path, "trials.csv")
    guard name == "sweep", pathKind(path) == .file else { return }
    let file = try CSVFile(path)
    var rows: [[String]] = []
    try file.forEachRow { row in
      guard rows.count < 10_000 else { throw row.fail("there are more than 10000 runs") }
      rows.append(row.fields.map { printable(String($0)) })
    }
    results = (file.header, rows)
  }

  /// What every trial came to: its settings, and the loss that it is judged by.
  package struct Outcomes: Sendable {
    package var settings: [String]
    /// `validation loss` or `loss`.
    package var judged: String
    package var trials: [(settings: [String], loss: Double)]
  }

  /// From the sweep's own table where there is one, which has the trials without an evaluation too; else from the curves.
  package var outcomes: Outcomes {
    guard let (header, rows) = results, let first = header.firstIndex(of: "epochs"), header.contains("loss"),
      first > 0
    else {
      return Outcomes(
        settings: settings, judged: "loss",
        trials: trials.map { ($0.settings, $0.curves["loss"]?.last ?? .nan) })
    }
    let judged = header.contains("validation_loss") ? "validation_loss" : "loss"
    let column = header.firstIndex(of: judged) ?? 0
    return Outcomes(
      settings: Array(header[1..<first]), judged: judged.replacing("_", with: " "),
      trials: rows.map { (Array($0[1..<first]), decimalNumber($0[column]) ?? .nan) })
  }
}
