// What `evaluate` says of a model, as text for people and as JSON.
import DataFormats
import DistributedSGD
import NeuralNet
import System
import Text

/// An evaluation with the names of classes and targets.
package struct EvaluationReport {
  private let result: Evaluation
  private let preprocessing: Preprocessing
  private let loss: any Loss
  private let examples: Int
  private let classes: [String]

  package init(_ result: Evaluation, of file: ModelFile, examples: Int) {
    self.result = result
    preprocessing = file.preprocessing
    loss = file.loss
    self.examples = examples
    classes = (0..<(file.classCount ?? 0)).map(file.preprocessing.className)
  }

  /// Of a table or a matrix of more classes than this nobody would see anything; JSON has them all.
  private static let shownClasses = 30

  /// What the number is: ` (½ MSE, standardised units)`.
  private var lossMeaning: String { classes.isEmpty ? " (\(loss.meaning), \(lossUnit))" : "" }

  private var lossUnit: String {
    preprocessing.targets.contains { $0.mean != 0 || $0.deviation != 1 }
      ? "standardised units" : "the target's own units"
  }

  package var text: String {
    let own = loss.measures
    var first = "loss: \(readableLoss(result.loss, 4))\(lossMeaning)"
    for measure in result.measures where own.contains(measure.name) {
      first += ", \(measure.label): \(fixed(measure.value, 4))"
    }
    var lines = [first + ", \(examples) example\(examples == 1 ? "" : "s")"]
    let others = result.measures.filter { !own.contains($0.name) }
      .map { "\($0.label): \(readableMeasure($0.value, 4))" }
    if !others.isEmpty { lines.append(others.joined(separator: ", ") + unit) }
    lines += targetTable + classTable + matrices
    return lines.joined(separator: "\n")
  }

  /// Of what the errors are counted in.
  private var unit: String {
    guard classes.isEmpty else { return "" }
    let targets = preprocessing.targets
    if targets.count > 1 { return " (means over \(targets.count) targets, each in its own units)" }
    let name = preprocessing.targetName
    return name.isEmpty ? " (in the target's own units)" : " (in the units of '\(visible(name))')"
  }

  private var targetTable: [String] {
    var columns: [(String, [Double])] = []
    for case .ofTargets(let name, let values) in result.tables { columns.append((name, values)) }
    guard !columns.isEmpty else { return [] }
    let names = preprocessing.targets.map(\.name)
    let rows = names.indices.map { row in
      [visible(names[row])] + columns.map { readableMeasure($0.1[row], 4) }
    }
    return [alignedTable([["target"] + columns.map { Evaluation.Measure($0.0, 0).label }] + rows)]
  }

  private var classTable: [String] {
    var columns: [(String, [Double])] = []
    for case .ofClasses(let name, let values) in result.tables { columns.append((name, values)) }
    guard !columns.isEmpty, classes.count <= Self.shownClasses else { return [] }
    let rows = classes.indices.map { row in
      [visible(classes[row])]
        + columns.map { $0.0 == "support" ? count($0.1[row]) : readableMeasure($0.1[row], 4) }
    }
    let titles = columns.map { $0.0 == "support" ? "examples" : $0.0 == "f1" ? "F1" : $0.0 }
    return ["", alignedTable([["class"] + titles] + rows)]
  }

  /// Of examples, which may have weights.
  private func count(_ value: Double) -> String {
    value == value.rounded() && value < 0x1p53 ? "\(Int(value))" : readableMeasure(value, 4)
  }

  private var matrices: [String] {
    var lines: [String] = []
    for case .matrix(let name, let counts) in result.tables where classes.count <= Self.shownClasses {
      let rows = classes.indices.map { row in
        [visible(classes[row])] + classes.indices.map { count(counts[row * classes.count + $0]) }
      }
      lines.append("\(name) matrix: a row for each true class, a column for each predicted one")
      lines.append(alignedTable([[""] + classes.map { visible($0) }] + rows))
    }
    return lines
  }

  /// Counts are written without a fraction unless weights have one.
  private func areWhole(_ counts: [Double]) -> Bool {
    counts.allSatisfy { $0 == $0.rounded() && $0 < 0x1p53 }
  }

  /// Everything, of however many classes.
  package var json: String {
    var line = JSONLine()
    line["examples"] = examples
    line["loss"] = result.loss
    line["lossName"] = loss.description
    if classes.isEmpty { line["lossUnits"] = lossUnit }
    for measure in result.measures { line[measure.name] = measure.value }
    if !classes.isEmpty { line["classes"] = classes }
    if preprocessing.targets.count > 1 { line["targets"] = preprocessing.targets.map(\.name) }
    for table in result.tables {
      switch table {
      case .value(let name, let value): line[name] = value
      case .ofClasses("support", let values) where areWhole(values):
        line["support"] = values.map { Int($0) }
      case .ofClasses(let name, let values): line[name] = values
      case .ofTargets(let name, let values): line[name + "OfTargets"] = values
      case .matrix(let name, let counts):
        let rows = classes.indices.map { row in
          Array(counts[row * classes.count..<(row + 1) * classes.count])
        }
        if areWhole(counts) { line[name] = rows.map { $0.map { Int($0) } } } else { line[name] = rows }
      }
    }
    return line.description
  }
}
