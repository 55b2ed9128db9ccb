// What the runs have learned: loss and every metric against examples and against time, and the noise of their gradients.
import Plot
import Text

extension RunReport {
  var learning: HTMLPage.Section? {
    let figures = RunFigures(runs: runs)
    let metrics = figures.metrics.filter { $0 != "noiseScale" && !saysNothing($0) }
    guard !metrics.isEmpty else { return nil }
    var blocks: [HTMLPage.Block] = []
    for metric in metrics {
      for abscissa in [Abscissa.examples, .seconds] {
        blocks.append(
          .figure(
            figures.plot(metric, against: abscissa),
            caption: abscissa == .examples && metric == "loss" ? figures.caption(metric) : ""))
      }
    }
    return HTMLPage.Section(heading: "Learning", blocks: blocks)
  }

  /// A rate that never changes stands among the settings; a log loss that is the loss is drawn once.
  private func saysNothing(_ metric: String) -> Bool {
    switch metric {
    case "learningRate":
      return runs.allSatisfy { run in
        guard let range = run.steps[metric]?.range else { return true }
        return range.low == range.high
      }
    case "logLoss":
      return runs.allSatisfy { run in
        run.evaluations.allSatisfy { _, curves in
          guard let one = curves["logLoss"], let other = curves["loss"] else { return true }
          return one.points.map(\.mean) == other.points.map(\.mean)
        }
      }
    default: return false
    }
  }

  /// The batch size at which noise and signal of the gradient are equal, by the estimate that runs make as they train.
  var noise: HTMLPage.Section? {
    let measured = runs.filter { ($0.steps["noiseScale"]?.range) != nil }
    guard !measured.isEmpty else { return nil }
    var plot = RunFigures(runs: measured).plot("noiseScale", against: .examples)
    plot.yScale =
      measured.contains { ($0.steps["noiseScale"]?.range?.low ?? 0) <= 0 } ? .linear : .logarithmic
    for index in plot.series.indices {
      plot.series[index].name = measured.count == 1 ? "" : measured[index].name
      plot.series[index].style = .line
    }
    let batches = Set(measured.compactMap { $0.setting("globalBatch")?.count })
    plot.referenceLines = batches.sorted().prefix(4).map {
      ReferenceLine(.horizontal(Double($0)), label: "batch \($0)")
    }
    let last = measured.compactMap { run in
      run.steps["noiseScale"]?.points.last { $0.finite > 0 }.map {
        "\(measured.count > 1 ? run.name + ": " : "")\(shortNumber($0.mean, 3)) examples at the end"
      }
    }
    return HTMLPage.Section(
      heading: "Gradient noise",
      blocks: [
        .paragraph(
          "The noise scale tr(Σ)/‖G‖² is the batch size at which noise and signal of the gradient balance (McCandlish et al. 2018): far below it a larger batch saves almost as many steps as it costs examples, far above it almost none. \(last.joined(separator: "; "))."
        ),
        .figure(plot, caption: RunFigures(runs: measured).caption("noiseScale")),
      ])
  }
}
