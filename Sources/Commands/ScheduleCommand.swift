import ArgumentParser
import Experiments
import MPI
import Runs
import System

struct ScheduleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedule",
    abstract: "Show the learning rate of a run without training.",
    discussion: """
      Takes the options of train, so that its command line can be tried as it is. --examples says how many there \
      are; without it the data are loaded and counted. A rate that is not given is the optimizer's own, or 0.1.
      """)

  @Option(parsing: .unconditional, help: ArgumentHelp("Rows of the table.", valueName: "n"))
  var rows = 20

  @Option(help: ArgumentHelp("Write the figure to this file.", valueName: "file.svg"))
  var svg: String?

  @Option(help: ArgumentHelp("Write figure and table to this file.", valueName: "file.html"))
  var html: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var train: TrainArguments

  func run() throws {
    let options = train.options
    let rates =
      if let examples = options.data.examples {
        try LearningRates(options, examples: examples)
      } else {
        try LearningRates(SetUp(options, communicator: SingleProcessCommunicator(), tellsAssumptions: false))
      }
    let report = try ScheduleReport(rates, rows: rows)
    if let svg { try ReplacementFile.write(report.svg, to: svg) }
    if let html { try ReplacementFile.write(report.html, to: html) }
    standardOutput(json ? report.json.description : report.text)
  }
}
