// Commands that run as jobs.
import ArgumentParser
import MPI

/// A command that runs on every rank of a job.
protocol JobCommand: ParsableCommand {
  func run(on communicator: any Communicator) throws
}
