// A plan's figures, its page and its files.
import Plot
import Runs
import System
import Text

extension Plan {
  /// Examples a second against ranks, a line a batch.
  private var throughput: Plot {
    let batches = Set(forecast.predictions.map(\.batch)).sorted()
    let lines = batches.map { batch in
      Series(
        name: "batch \(grouped(batch))",
        points: fastest(forecast.predictions.filter { $0.batch == batch }, by: \.worldSize).map {
          (x: Double($0.worldSize), y: $0.examplesPerSecond)
        })
    }
    return Plot(
      title: "Examples a second, predicted", xLabel: "ranks", yLabel: "examples/s", xScale: .logarithmic,
      yScale: .logarithmic, series: lines)
  }

  /// Time to a loss against the batch, a line a number of ranks; nil where the noise is not known.
  private var timeToLoss: Plot? {
    guard let statistics = forecast.statistics else { return nil }
    let sizes = Set(forecast.predictions.map(\.worldSize)).sorted()
    let known = statistics.leastSteps != nil
    let lines = sizes.map { size in
      Series(
        name: counted(size, "rank"),
        points: fastest(forecast.predictions.filter { $0.worldSize == size }, by: \.batch).compactMap { one in
          (known ? one.secondsToLoss : one.relativeSeconds).map { (x: Double(one.batch), y: $0) }
        })
    }
    return Plot(
      title: known ? "Time to the loss, predicted" : "Time to a loss, predicted, over the fewest steps to it",
      xLabel: "global batch", yLabel: "seconds", xScale: .logarithmic, yScale: .logarithmic, series: lines,
      referenceLines: [ReferenceLine(.vertical(statistics.noiseScale), label: "noise scale")])
  }

  /// Of each value of `key` the prediction with most examples a second, ascending.
  private func fastest(_ predictions: [Prediction], by key: (Prediction) -> Int) -> [Prediction] {
    Dictionary(grouping: predictions, by: key).sorted { $0.key < $1.key }.compactMap {
      $0.value.min { $0.seconds < $1.seconds }
    }
  }

  package var plots: [(name: String, plot: Plot)] {
    [("plan", throughput)] + (timeToLoss.map { [("plan-loss", $0)] } ?? [])
  }

  /// All of it as a page.
  package var html: String {
    var blocks: [HTMLPage.Block] = [.paragraph(advice), .table(header: [], rows: facts)]
    blocks.append(.table(header: header, rows: forecast.predictions.map(cells)))
    blocks += notes.map { .paragraph($0) }
    if !comparisons.isEmpty {
      blocks.append(.table(header: Self.comparisonHeader, rows: comparisons.map(cells)))
    }
    blocks += plots.map { .plot($0.plot) }
    return HTMLPage(title: "Plan", sections: [HTMLPage.Section(heading: measured.modelWords, blocks: blocks)])
      .html
  }

  /// Prints the plan, and writes its files where there is a folder for them.
  /// - Throws: `DistsgdError` (`cannotCreate`, `inputOutput`).
  package func publish(asJSON: Bool, to files: ReportFiles?) throws {
    standardOutput(asJSON ? json.description : text)
    guard let files else { return }
    var texts = [("plan.json", json.description + "\n"), ("plan.html", html)]
    for (name, plot) in plots { texts.append((name + ".svg", plot.svg())) }
    for (name, text) in texts { try files.write(text, as: name) }
    let paths = texts.map { visible("\(files.folder)/\($0.0)") }
    // With --json the object has standard output to itself.
    if asJSON { paths.forEach(standardError) } else { standardOutput("\n" + paths.joined(separator: "\n")) }
  }
}
