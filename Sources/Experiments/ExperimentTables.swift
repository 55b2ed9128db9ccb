// Results of trials as text: the chapter's line, a comparison table, and the curves as CSV.
import System
import Text

extension TrialResult {
  /// The chapter's line: `loss: 0.243, 0.0004 sec/epoch`.
  package var line: String {
    let loss = finalLoss.map { "loss: \(readableLoss($0))" } ?? "diverged"
    let held = validation.map { ", validation \($0)" } ?? ""
    return "\(loss)\(held), \(readableSeconds(secondsPerEpoch)) sec/epoch"
  }

  /// One JSON object with all but the curve.
  package var json: JSONLine {
    var line = JSONLine()
    line["name"] = name
    for (name, word) in settings where !["global-batch", "learning-rate"].contains(name) { line[name] = word }
    line["globalBatch"] = globalBatch
    line["learningRate"] = Float(learningRate)
    line["epochs"] = epochs
    line["loss"] = finalLoss
    line["secondsPerEpoch"] = secondsPerEpoch
    line["examplesPerSecond"] = examplesPerSecond
    if hasValidation { line["validationLoss"] = validation?.loss }
    for measure in (validation ?? evaluations.last?.evaluation)?.measures ?? [] {
      line[measure.name] = measure.value
    }
    for (name, value) in measures.sorted(by: { $0.key < $1.key }) { line[name] = value }
    line["parameterHash"] = hexadecimal(parameterHash)
    return line
  }
}

/// Trials side by side, a header first. `target` adds the examples and the training time until the loss was
/// first at most that.
package func comparisonTable(_ results: [TrialResult], target: Double?) -> [[String]] {
  var rows = [
    ["run", "batch", "η", "epochs", "final loss", "sec/epoch", "examples/s"]
      + (target.map { ["examples to \(fixed($0, 4))", "seconds to \(fixed($0, 4))"] } ?? [])
      + ["parameter hash"]
  ]
  for result in results {
    var row = [
      result.name, "\(result.globalBatch)", shortest(result.learningRate), shortest(result.epochs),
      result.finalLoss.map { readableLoss($0, 4) } ?? "diverged",
      readableSeconds(result.secondsPerEpoch),
      fixed(result.examplesPerSecond, 0),
    ]
    if let target {
      row.append(result.examples(toReach: target).map(String.init) ?? "-")
      row.append(result.seconds(toReach: target).map(readableSeconds) ?? "-")
    }
    rows.append(row + [hexadecimal(result.parameterHash)])
  }
  return rows
}

/// A number without digits that say nothing: 0.05, 1, 1500.
func shortest(_ value: Double) -> String {
  value == value.rounded() && abs(value) < 1e9 ? fixed(value, 0) : "\(Float(value))"
}

/// Every evaluation of every trial.
package func curvesCSV(_ results: [TrialResult]) -> String {
  var text = "run,global_batch,learning_rate,examples,seconds,loss\n"
  for result in results {
    for point in result.evaluations {
      text += "\"\(result.name)\",\(result.globalBatch),\(shortest(result.learningRate)),\(point.examples),"
      text += "\(fixed(point.seconds, 9)),\(point.evaluation.loss)\n"
    }
  }
  return text
}

/// Mean and standard deviation of a sample.
package func meanAndDeviation(_ values: [Double]) -> (mean: Double, deviation: Double) {
  guard !values.isEmpty else { return (.nan, .nan) }
  let mean = values.reduce(0, +) / Double(values.count)
  let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (mean, values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0)
}
