import ArgumentParser
import Report
import System
import Text

extension Abscissa: ExpressibleByArgument {}

struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Draw one metric of one or several runs as an SVG file.",
    discussion:
      "What steps and evaluations tell of it, runs laid over each other; report makes a page of everything.")

  @Argument(help: ArgumentHelp("A run's metrics.jsonl, or its folder.", valueName: "metrics.jsonl"))
  var runs: [String]

  @Option(help: ArgumentHelp("What to count along the horizontal axis.", valueName: "axis"))
  var x = Abscissa.examples

  @Option(
    help: ArgumentHelp(
      "The metric, as metrics.jsonl calls it: loss, accuracy, gradientNorm, ….", valueName: "metric"))
  var y = "loss"

  @Option(
    help: ArgumentHelp(
      "The figure. (default: METRIC.svg in the run's folder; of several runs, in the current one)",
      valueName: "file.svg"))
  var output: String?

  func run() throws {
    let plot = try RunPlot(try Sources(runs), metric: y, against: x)
    let name = String(printable(y).map { $0 == "/" ? "-" : $0 })
    let path = output ?? besideInput(runs, "\(name).svg")
    try ReplacementFile.write(plot.svg, to: path)
    standardOutput("plot: \(visible(path))")
  }
}
