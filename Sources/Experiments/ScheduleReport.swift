// The learning rate over a run before an hour is spent on it: `distsgd schedule`'s table, figure and page.
import Plot
import Runs
import System
import Text

/// The learning rates of a run, at some of its steps.
package struct ScheduleReport {
  private let rates: LearningRates
  /// Shown in the table.
  private let steps: [Int]

  /// - Parameter rows: of the table, at most but for the first and last step and the end of the warm-up.
  /// - Throws: `DistsgdError` (`usage`) where the run has no end.
  package init(_ rates: LearningRates, rows: Int) throws {
    try NumberRange("--rows", 2...100_000).check(rows)
    self.rates = rates
    let last = rates.totalSteps - 1
    var steps = Set([0, last])
    for row in 0..<rows { steps.insert(Int((Double(row) * Double(last) / Double(rows - 1)).rounded())) }
    if rates.warmUpSteps > 0, rates.warmUpSteps <= last { steps.insert(rates.warmUpSteps) }
    self.steps = steps.sorted()
  }

  private var title: String {
    "\(grouped(rates.totalSteps)) step\(rates.totalSteps == 1 ? "" : "s"), \(grouped(rates.stepsPerEpoch)) an epoch: \(rates.words)"
  }

  /// Epochs done before a step.
  private func epoch(_ step: Int) -> Double { Double(step) / Double(rates.stepsPerEpoch) }

  private var header: [String] { ["step", "epoch", "factor", "learning rate"] }
  private var cells: [[String]] {
    steps.map { step in
      ["\(step + 1)", fixed(epoch(step), 2), fixed(rates.factor(step), 6), "\(rates.rate(step))"]
    }
  }

  /// A table for a person.
  package var text: String { "\(title)\n\n\(alignedTable([header] + cells))" }

  /// The same as one object.
  package var json: JSONLine {
    var line = JSONLine()
    line["steps"] = rates.totalSteps
    line["stepsPerEpoch"] = rates.stepsPerEpoch
    line["base"] = rates.base
    line["warmupSteps"] = rates.warmUpSteps
    line["rates"] = steps.map { step in
      var line = JSONLine()
      line["step"] = step + 1
      line["epoch"] = epoch(step)
      line["factor"] = rates.factor(step)
      line["learningRate"] = rates.rate(step)
      return line
    }
    return line
  }

  private var plot: Plot {
    let last = rates.totalSteps - 1
    let points = min(last, 600)
    let shown =
      points == 0
      ? [0] : (0...points).map { Int((Double($0) * Double(last) / Double(points)).rounded()) }
    return Plot(
      title: "Learning rate", xLabel: "epoch", yLabel: "η",
      series: [
        Series(name: "", points: shown.map { (x: epoch($0), y: Double(rates.rate($0))) }, style: .line)
      ],
      referenceLines: rates.warmUpSteps > 0 && rates.warmUpSteps <= last
        ? [ReferenceLine(.vertical(epoch(rates.warmUpSteps)), label: "warm-up's end")] : [])
  }

  /// A figure as a whole file.
  package var svg: String { plot.svg() }

  /// A page with figure and table.
  package var html: String {
    HTMLPage(
      title: "Learning rate",
      sections: [
        HTMLPage.Section(heading: title, blocks: [.plot(plot), .table(header: header, rows: cells)])
      ]
    ).html
  }
}
