// What a sweep keeps while it runs: its command line, and a line for every run that has ended.
import DistributedSGD
import Runs
import System
import Text

/// The files by which a sweep goes on.
struct SweepFiles {
  let folder: String

  var trials: String { folder + "/trials.jsonl" }
  var command: String { folder + "/sweep.jsonl" }

  /// What stands in `sweep.jsonl`.
  struct Command {
    /// The words behind `sweep`.
    var arguments: [String] = []
    /// Processes of the job that began it, on which the default number of shards depends.
    var ranks = 1
    /// Of the data.
    var fingerprint = ""
    var kernel = ""
  }

  func write(_ command: Command) throws {
    var line = JSONLine(event: "sweep")
    line["arguments"] = command.arguments
    line["ranks"] = command.ranks
    line["fingerprint"] = command.fingerprint
    line["kernel"] = command.kernel
    try ReplacementFile.write(line.description + "\n", to: self.command)
  }

  /// - Throws: `DistsgdError` (`noInput`, `badData`).
  func readCommand() throws -> Command {
    guard let file = try? FileBytes(command, takesPipe: false) else {
      throw DistsgdError(
        .noInput, "--resume: cannot read '\(printable(command, limit: 200))'; name the folder of a sweep")
    }
    return try withExtendedLifetime(file) {
      var found = Command()
      var scanner = JSONScanner(file.bytes)
      do {
        try scanner.object { scanner, key in
          switch key {
          case "arguments": found.arguments = try scanner.array { scanner throws in try scanner.string() }
          case "ranks": found.ranks = max(1, try scanner.naturalNumber())
          case "fingerprint": found.fingerprint = try scanner.string()
          case "kernel": found.kernel = try scanner.string()
          default: try scanner.skipValue()
          }
        }
      } catch {
        throw DistsgdError(
          .badData, "--resume: '\(printable(command, limit: 200))' is no sweep's; start the sweep anew")
      }
      return found
    }
  }

  /// What the lines behind the first `offset` bytes tell, by the keys of their trials. Half a line, as a killed process
  /// leaves it, is left out.
  func results(from offset: inout Int, trials: [String: Trial]) -> [(key: String, result: TrialResult)] {
    guard let file = try? FileBytes(self.trials, takesPipe: false), file.bytes.count > offset else {
      return []
    }
    return withExtendedLifetime(file) {
      var found: [(key: String, result: TrialResult)] = []
      while let end = file.bytes[offset...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = UnsafeRawBufferPointer(rebasing: file.bytes[offset..<end])
        offset = end + 1
        if let entry = try? TrialEntry(line), let trial = trials[entry.key] {
          found.append((entry.key, entry.result(of: trial)))
        }
      }
      return found
    }
  }
}

extension TrialResult {
  /// All of a result, as a line of `trials.jsonl`.
  /// - Parameter number: of the trial, from 1.
  func line(key: String, number: Int) -> JSONLine {
    var line = json
    line["trial"] = number
    line["key"] = key
    if let validation {
      var numbers = JSONLine()
      numbers["loss"] = validation.loss
      for measure in validation.measures { numbers[measure.name] = measure.value }
      line["validation"] = numbers
    }
    var curve = JSONLine()
    curve["examples"] = evaluations.map(\.examples)
    curve["seconds"] = evaluations.map(\.seconds)
    curve["loss"] = evaluations.map(\.evaluation.loss)
    for (place, measure) in (evaluations.first?.evaluation.measures ?? []).enumerated() {
      curve[measure.name] = evaluations.map { $0.evaluation.measures[place].value }
    }
    line["curve"] = curve
    return line
  }
}

/// A line of `trials.jsonl`, read again.
private struct TrialEntry {
  private(set) var key = ""
  private var numbers: [String: Double] = [:]
  private var hash: UInt64 = 0
  private var validation: [(name: String, value: Double)] = []
  private var curve: [(name: String, values: [Double])] = []

  init(_ line: UnsafeRawBufferPointer) throws {
    var scanner = JSONScanner(line)
    try scanner.object { scanner, name in
      switch name {
      case "key": key = try scanner.string()
      case "parameterHash": hash = UInt64(try scanner.string(), radix: 16) ?? 0
      case "validation":
        try scanner.object { scanner, name in
          validation.append((name, Double(try scanner.text()) ?? .nan))
        }
      case "curve":
        try scanner.object { scanner, name in
          // A loss that is no number is null.
          curve.append(
            (name, try scanner.array { scanner throws in Double(try scanner.text()) ?? .nan }))
        }
      default: numbers[name] = Double(try scanner.text())
      }
    }
    try scanner.end()
  }

  func result(of trial: Trial) -> TrialResult {
    let measures = curve.filter { !["examples", "seconds", "loss"].contains($0.name) }
    func column(_ name: String) -> [Double] { curve.first { $0.name == name }?.values ?? [] }
    let (examples, seconds, loss) = (column("examples"), column("seconds"), column("loss"))
    let count = ([examples, seconds, loss] + measures.map(\.values)).map(\.count).min() ?? 0
    let points = (0..<count).map { place in
      EvaluationPoint(
        examples: Int(examples[place]), seconds: seconds[place],
        evaluation: Evaluation(
          loss: loss[place], measures: measures.map { Evaluation.Measure($0.name, $0.values[place]) }))
    }
    return TrialResult(
      name: trial.name, group: trial.group, settings: trial.settings,
      globalBatch: Int(numbers["globalBatch"] ?? 0), learningRate: numbers["learningRate"] ?? .nan,
      epochs: numbers["epochs"] ?? 0, evaluations: points, finalLoss: numbers["loss"],
      validation: validation.isEmpty
        ? nil
        : Evaluation(
          loss: validation.first { $0.name == "loss" }?.value ?? .nan,
          measures: validation.filter { $0.name != "loss" }.map { Evaluation.Measure($0.name, $0.value) }),
      hasValidation: trial.options.data.validation != nil, secondsPerEpoch: numbers["secondsPerEpoch"] ?? 0,
      examplesPerSecond: numbers["examplesPerSecond"] ?? 0, parameterHash: hash)
  }
}
