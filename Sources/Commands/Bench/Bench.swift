import ArgumentParser
import Bench
import DistributedSGD
import Experiments
import MPI
import Runs
import System

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure this machine, and what the method gets out of it.",
    subcommands: [
      BenchMatmul.self, BenchRoofline.self, BenchNoise.self, BenchGather.self, BenchStep.self,
      BenchAllReduce.self, BenchUpdate.self,
    ])

  func run() throws {
    let names = Self.configuration.subcommands.compactMap { $0.configuration.commandName }
    throw DistsgdError(
      .usage, "bench: say which: \(names.joined(separator: ", ")); see 'distsgd bench --help'")
  }
}

/// How a bench's result is shown.
struct BenchOutput: ParsableArguments {
  @Option(help: ArgumentHelp("Write plots (SVG) and numbers (JSON) to this folder.", valueName: "dir"))
  var output: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  /// Runs a bench and publishes its report; a folder that cannot be made is found before the work.
  func publish<Report: BenchReport>(_ report: () throws -> Report) throws {
    let files = try output.map { try ReportFiles(creating: $0) }
    Stages.begin(1)
    Stages.next("measuring")
    defer { Stages.end() }
    let report = try report()
    Stages.end()
    try report.publish(asJSON: json, to: files)
  }

  /// The same for a bench of all ranks: rank 0 publishes.
  func publish<Report: BenchReport>(on communicator: any Communicator, _ report: () throws -> Report) throws {
    let isFirst = communicator.rank == 0
    let files = try communicator.agreeingOnErrors {
      isFirst ? try output.map(ReportFiles.init(creating:)) : nil
    }
    Stages.begin(1, isTold: isFirst)
    Stages.next("measuring")
    defer { Stages.end() }
    let report = try report()
    Stages.end()
    try communicator.agreeingOnErrors { if isFirst { try report.publish(asJSON: json, to: files) } }
  }
}

/// A bench of one process.
protocol LocalBench: JobCommand {
  associatedtype Report: BenchReport
  var output: BenchOutput { get }
  func report() throws -> Report
}

extension LocalBench {
  func run(on communicator: any Communicator) throws {
    guard communicator.worldSize == 1 else {
      throw AgreedError(DistsgdError(.usage, "this bench measures one process; run it without mpirun"))
    }
    try output.publish(report)
  }
}

/// Numbers by commas.
func integers(_ text: String) throws -> [Int] {
  try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
    guard let number = Int(word) else { throw ValidationError("'\(word)' is not a whole number") }
    return number
  }
}
