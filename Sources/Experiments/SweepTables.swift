// A sweep's results as tables, as CSV, and in a sentence or two.
import DistributedSGD
import Plot
import System
import Text

/// All that is made of a sweep's results.
struct SweepReading {
  let axes: [SweepAxis]
  let results: [TrialResult]
  let target: Double?
  /// How many runs were made at a time.
  let concurrent: Int

  /// - Parameter targetLoss: nil: 2 % above the best.
  init(_ axes: [SweepAxis], _ results: [TrialResult], targetLoss: Double?, concurrent: Int) {
    self.axes = axes
    self.results = results
    target = targetLoss ?? Sweep.defaultTarget(results)
    self.concurrent = concurrent
  }

  private var hasValidation: Bool { results.contains(where: \.hasValidation) }
  private var hasSeeds: Bool { axes.contains { $0.name == "seed" } }
  private var judged: String { hasValidation ? "validation loss" : "training loss" }

  /// Beside the loss.
  private var measures: [Evaluation.Measure] {
    results.lazy.compactMap { Self.last($0)?.measures }.first { !$0.isEmpty }?.filter { $0.name != "logLoss" }
      ?? []
  }

  private static func last(_ result: TrialResult) -> Evaluation? {
    result.finalLoss == nil ? nil : result.validation ?? result.evaluations.last?.evaluation
  }

  private static func measure(_ name: String, _ result: TrialResult) -> Double? {
    last(result)?.measures.first { $0.name == name }?.value
  }

  // MARK: For people

  var reading: Study.Reading {
    Study.Reading(
      tables: [table] + (hasSeeds ? [meansTable] : []), words: sentences, figures: figures)
  }

  private func heading(_ name: String) -> String {
    switch name {
    case "global-batch": "batch"
    case "learning-rate": "η"
    default: name
    }
  }

  private func word(_ name: String, _ result: TrialResult) -> String {
    switch name {
    case "global-batch": "\(result.globalBatch)"
    case "learning-rate": shortest(result.learningRate)
    default: result.settings.first { $0.name == name }?.word ?? ""
    }
  }

  private func lossWord(_ value: Double?) -> String {
    value.map { abs($0) < 1e6 ? fixed($0, 4) : readableLoss($0) } ?? "diverged"
  }

  private var table: [[String]] {
    var rows = [
      axes.map { heading($0.name) } + ["epochs", hasValidation ? "training loss" : "final loss"]
        + (hasValidation ? ["validation loss"] : []) + measures.map(\.label) + ["sec/epoch", "examples/s"]
        + (target.map { ["examples to \(fixed($0, 4))", "seconds to \(fixed($0, 4))"] } ?? [])
        + ["parameter hash"]
    ]
    for result in results {
      var row = axes.map { word($0.name, result) } + [shortest(result.epochs), lossWord(result.finalLoss)]
      if hasValidation { row.append(lossWord(result.validation?.loss)) }
      row += measures.map { Self.measure($0.name, result).map { fixed($0, 4) } ?? "-" }
      row += [readableSeconds(result.secondsPerEpoch), fixed(result.examplesPerSecond, 0)]
      if let target {
        row.append(result.examples(toReach: target).map(String.init) ?? "-")
        row.append(result.seconds(toReach: target).map(readableSeconds) ?? "-")
      }
      rows.append(row + [hexadecimal(result.parameterHash)])
    }
    return rows
  }

  /// Runs that differ in their seed alone.
  private var groups: [[TrialResult]] {
    var order: [String] = []
    let members = Dictionary(grouping: results) { $0.group }
    for result in results where order.last != result.group && !order.contains(result.group) {
      order.append(result.group)
    }
    return order.compactMap { members[$0] }
  }

  private var otherAxes: [SweepAxis] { axes.filter { $0.name != "seed" } }

  private var meansTable: [[String]] {
    var rows = [
      otherAxes.map { heading($0.name) } + ["seeds", "diverged", "training loss"]
        + (hasValidation ? ["validation loss"] : []) + measures.map(\.label)
    ]
    func spread(_ values: [Double]) -> String {
      guard !values.isEmpty else { return "-" }
      let (mean, deviation) = meanAndDeviation(values)
      return values.count > 1 ? "\(fixed(mean, 4)) ± \(fixed(deviation, 4))" : fixed(mean, 4)
    }
    for group in groups {
      var row = otherAxes.map { word($0.name, group[0]) }
      row += ["\(group.count)", "\(group.filter { $0.judgedLoss == nil }.count)"]
      row.append(spread(group.compactMap(\.finalLoss)))
      if hasValidation { row.append(spread(group.compactMap(\.validation?.loss))) }
      rows.append(
        row + measures.map { measure in spread(group.compactMap { Self.measure(measure.name, $0) }) })
    }
    return rows
  }

  private var sentences: String {
    guard let target else { return "Every run diverged.\n" }
    var text = ""
    // Of a setting that sometimes diverges the rest's mean would be too good.
    let best = groups.compactMap { group -> (group: [TrialResult], loss: Double)? in
      let losses = group.compactMap(\.judgedLoss)
      return losses.count == group.count ? (group, meanAndDeviation(losses).mean) : nil
    }.min { $0.loss < $1.loss }
    if let best {
      let mean = best.group.count > 1 ? ", the mean of \(best.group.count) seeds" : ""
      text += "Lowest \(judged): \(best.group[0].group), \(fixed(best.loss, 4))\(mean).\n"
    }
    if !hasValidation {
      text +=
        "These are losses on the training set itself; --validation has the runs judged by other examples.\n"
    }
    text += Chapter.fastestSentence(results, target: target)
    if concurrent > 1 {
      text += "Times are those of \(concurrent) runs at a time, which share the machine.\n"
    }
    return text
  }

  private var figures: [(name: String, plot: Plot)] {
    if Set(axes.map(\.name)) == ["global-batch", "learning-rate"], axes.allSatisfy(\.isList) {
      return Sweep.figures(results, stem: "sweep")
    }
    let best = results.filter { $0.judgedLoss != nil }.sorted { $0.judgedLoss! < $1.judgedLoss! }.prefix(8)
    return [("sweep-loss", lossAgainstExamples("The runs with the lowest \(judged)", Array(best)))]
  }

  // MARK: For programs

  /// A row for every run, a column for every setting.
  var trialsCSV: String {
    var rows = [
      ["trial"] + axes.map(\.column) + ["epochs", "loss"] + (hasValidation ? ["validation_loss"] : [])
        + measures.map(\.name) + [
          "seconds_per_epoch", "examples_per_second", "examples_to_target", "seconds_to_target",
          "parameter_hash",
        ]
    ]
    for (index, result) in results.enumerated() {
      var row = ["\(index + 1)"] + axes.map { word($0.name, result) }
      row += ["\(result.epochs)", result.finalLoss.map { "\($0)" } ?? ""]
      if hasValidation { row.append(result.validation.map { "\($0.loss)" } ?? "") }
      row += measures.map { Self.measure($0.name, result).map { "\($0)" } ?? "" }
      row += ["\(result.secondsPerEpoch)", "\(result.examplesPerSecond)"]
      row.append(target.flatMap { result.examples(toReach: $0) }.map(String.init) ?? "")
      row.append(target.flatMap { result.seconds(toReach: $0) }.map { "\($0)" } ?? "")
      rows.append(row + [hexadecimal(result.parameterHash)])
    }
    return csv(rows)
  }

  /// A row for runs that differ in their seed alone; nil where seeds do not vary.
  var meansCSV: String? {
    guard hasSeeds else { return nil }
    let losses = ["loss"] + (hasValidation ? ["validation_loss"] : []) + measures.map(\.name)
    var rows = [
      otherAxes.map(\.column) + ["seeds", "diverged"] + losses.flatMap { ["\($0)_mean", "\($0)_deviation"] }
    ]
    for group in groups {
      var row = otherAxes.map { word($0.name, group[0]) }
      row += ["\(group.count)", "\(group.filter { $0.judgedLoss == nil }.count)"]
      var columns = [group.compactMap(\.finalLoss)]
      if hasValidation { columns.append(group.compactMap(\.validation?.loss)) }
      columns += measures.map { measure in group.compactMap { Self.measure(measure.name, $0) } }
      for values in columns {
        let (mean, deviation) = meanAndDeviation(values)
        row += values.isEmpty ? ["", ""] : ["\(mean)", "\(deviation)"]
      }
      rows.append(row)
    }
    return csv(rows)
  }

  /// Every evaluation of every run.
  var curvesCSV: String {
    let names = results.lazy.compactMap { $0.evaluations.first?.evaluation.measures.map(\.name) }.first ?? []
    var rows = [["run"] + axes.map(\.column) + ["examples", "seconds", "loss"] + names]
    for result in results {
      for point in result.evaluations {
        rows.append(
          [result.name] + axes.map { word($0.name, result) }
            + ["\(point.examples)", fixed(point.seconds, 9), "\(point.evaluation.loss)"]
            + names.map { name in
              point.evaluation.measures.first { $0.name == name }.map { "\($0.value)" } ?? ""
            })
      }
    }
    return csv(rows)
  }
}

extension SweepAxis {
  fileprivate var isList: Bool { if case .list = values { true } else { false } }
}

/// Rows with a header, as RFC 4180 has them.
private func csv(_ rows: [[String]]) -> String {
  rows.map { row in
    row.map { field in
      field.contains { ",\"\n\r".contains($0) } ? "\"\(field.replacing("\"", with: "\"\""))\"" : field
    }.joined(separator: ",") + "\n"
  }.joined()
}
