// One figure of runs as a file: `distsgd plot`.
import Plot
import System
import Text

/// A metric of some runs over one axis.
package struct RunPlot {
  private let plot: Plot

  /// - Throws: `DistsgdError` (`usage`) where no run has told of `metric`, with those that there are.
  package init(_ sources: Sources, metric: String, against abscissa: Abscissa) throws {
    guard !sources.runs.isEmpty else {
      throw DistsgdError(
        .usage,
        "there is no metrics.jsonl among the files; a figure needs one at least, and report takes the others")
    }
    let figures = RunFigures(runs: sources.runs)
    guard sources.runs.contains(where: { $0.has(metric) }) else {
      let names = figures.metrics
      throw DistsgdError(
        .usage,
        "--y: no run tells of '\(printable(metric))'; \(suggestion(for: metric, among: names))there \(names.isEmpty ? "is nothing yet" : "are \(listed(names, limit: 20))")"
      )
    }
    plot = figures.plot(metric, against: abscissa)
  }

  /// An SVG document.
  package var svg: String { plot.svg() }
}
