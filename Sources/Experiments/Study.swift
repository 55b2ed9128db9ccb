// A question put to several trials: which runs to make, and what their results say.
import DistributedSGD
import MPI
import NeuralNet
import Plot
import Runs
import System
import Text

/// Some trials and the reading of their results.
package struct Study: Sendable {
  /// The stem of its files.
  package let name: String
  package let title: String
  /// The trials, from the common options and the number of training examples.
  package let trials: @Sendable (TrainingOptions, Int) -> [Trial]
  package let read: @Sendable ([TrialResult]) -> Reading
  /// Training seconds over which each trial's time is measured; 0 where time is not the question.
  package let timedFor: Double

  init(
    name: String, title: String, timedFor: Double = 0.03,
    trials: @escaping @Sendable (TrainingOptions, Int) -> [Trial],
    read: @escaping @Sendable ([TrialResult]) -> Reading
  ) {
    self.name = name
    self.title = title
    self.timedFor = timedFor
    self.trials = trials
    self.read = read
  }

  /// What the results say: tables and sentences, and figures.
  package struct Reading: Sendable {
    /// Each with its header first.
    package var tables: [[[String]]]
    /// What is said of them.
    package var words: String
    package var figures: [(name: String, plot: Plot)]

    package init(tables: [[[String]]], words: String, figures: [(name: String, plot: Plot)]) {
      self.tables = tables
      self.words = words
      self.figures = figures
    }

    /// For the terminal.
    package var text: String { tables.map { alignedTable($0) + "\n" }.joined() + words }

    /// For a page: figures, tables that scroll where they are wider than it, and a paragraph for each line's end.
    package var blocks: [HTMLPage.Block] {
      figures.map { .plot($0.plot) }
        + tables.map { .table(header: $0.first ?? [], rows: Array($0.dropFirst())) }
        + words.split(separator: ".\n").map { .paragraph($0.hasSuffix(".") ? String($0) : $0 + ".") }
    }
  }
}

/// Runs a study over the ranks of a job; rank 0 tells and writes.
package struct StudyRunner {
  private let communicator: any Communicator
  private let output: String?
  private let printsJSON: Bool

  package init(output: String?, printsJSON: Bool, communicator: any Communicator) {
    self.output = output
    self.printsJSON = printsJSON
    self.communicator = communicator
  }

  /// Collective.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  package func run(_ study: Study, _ options: TrainingOptions) throws {
    let isTelling = communicator.rank == 0
    let experiment = try Experiment(options, communicator: communicator)
    // The folder is made before the work, so that an unwritable one costs nobody a run.
    let files = try communicator.agreeingOnErrors { isTelling ? try ReportFiles(creating: output) : nil }
    let trials = study.trials(options, experiment.exampleCount)
    if isTelling && !printsJSON {
      let ranks = communicator.worldSize
      let shards = options.shardCount(ranks: ranks)
      standardOutput(study.title)
      standardOutput("data: \(experiment.dataSummary)")
      standardOutput(
        "\(ranks) process\(ranks == 1 ? "" : "es"), at most \(shards) shard\(shards == 1 ? "" : "s") a batch, OpenBLAS kernel \(BLAS.kernelWords)\n"
      )
    }
    // The first run of a process pays for pages and caches that later ones find warm.
    if let first = trials.first { _ = try experiment.run(first.warmUp) }
    var results: [TrialResult] = []
    Stages.begin(trials.count, isTold: isTelling)
    defer { Stages.end() }
    for trial in trials {
      Stages.next(trial.name)
      let result = try experiment.run(trial, timedFor: study.timedFor)
      results.append(result)
      if isTelling { standardOutput(printsJSON ? result.json.description : "\(result.name): \(result.line)") }
    }
    Stages.end()
    try communicator.agreeingOnErrors {
      guard let files else { return }
      let reading = study.read(results)
      try files.write(curvesCSV(results), as: "\(study.name).csv")
      for (name, plot) in reading.figures { try files.write(plot.svg(), as: "\(name).svg") }
      let page = HTMLPage(
        title: study.title,
        sections: [HTMLPage.Section(heading: experiment.dataSummary, blocks: reading.blocks)])
      try files.write(page.html, as: "\(study.name).html")
      guard !printsJSON else { return }
      standardOutput("\n" + reading.text)
      let names = reading.figures.map { "\($0.name).svg" } + ["\(study.name).html", "\(study.name).csv"]
      standardOutput("files: \(visible(files.folder))/ \(names.joined(separator: ", "))")
    }
  }
}
