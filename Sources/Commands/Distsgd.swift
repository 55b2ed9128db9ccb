// The program: its subcommands, and the one place where errors are told and become exit codes.
import ArgumentParser
import DistributedSGD
import Glibc
import MPI
import Runs
import System

struct Distsgd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "distsgd",
    abstract: "Synchronous data-parallel minibatch SGD over MPI.",
    discussion: """
      mpirun -np 8 distsgd --global-batch 128

      Every rank takes its share of every minibatch, all ranks add their gradients, and every rank makes the \
      same update. Without mpirun the same program runs in one process. Equal shards give equal bits.
      """,
    version: version,
    subcommands: [
      Train.self, ChapterCommand.self, SweepCommand.self, Bench.self, Evaluate.self, Predict.self,
      Verify.self,
    ],
    defaultSubcommand: Train.self)
}

/// A command that runs on every rank of a job.
protocol JobCommand: ParsableCommand {
  func run(on communicator: any Communicator) throws
}

/// The program: `Program.main()` is all that its main file says.
public enum Program {
  /// Runs the command line as a rank of a job or alone, and ends the process.
  public static func main() -> Never {
    MemoryRefusal.watch()
    // Before anything is computed, and again after MPI has loaded its plugins.
    var environment = FloatingPointEnvironment.setDefault()
    do {
      let communicator = try Job().communicator
      environment |= FloatingPointEnvironment.setDefault()
      end(run(on: communicator, environment))
    } catch {
      // What is wrong with the way all were started is told once.
      if !(error is DistsgdError) || Launcher.isFirst(in: currentEnvironment()) { report("\(error)") }
      end(((error as? DistsgdError)?.code ?? .internal).rawValue)
    }
  }

  /// Ends the process. Nothing is left to be done in it, and what libraries do at an exit can hang: OpenBLAS waits for
  /// threads that may never have got their memory.
  private static func end(_ code: Int32) -> Never {
    fflush(nil)
    StopSignal.release()
    _exit(code)
  }

  /// Runs the command on this rank; returns the job's exit code, the same on all ranks.
  /// - Parameter environment: what was changed in how this rank computes.
  private static func run(on communicator: any Communicator, _ environment: Int) -> Int32 {
    var code: Int32 = 0
    var watchdog: Watchdog?
    do {
      watchdog = try Watchdog(over: communicator)
      try communicator.tellEnvironment(found: environment)
      let command = try parse()
      if let command = command as? any JobCommand {
        try command.run(on: communicator)
      } else {
        guard communicator.worldSize == 1 else {
          throw AgreedError(DistsgdError(.usage, "this command starts its own jobs; run it without mpirun"))
        }
        var command = command
        try command.run()
      }
    } catch let error as AgreedError {
      // Every rank is here: one of them tells, and all end in good order.
      if communicator.rank == 0 { report(error.error) }
      code = error.error.code.rawValue
    } catch let error as DistsgdError {
      // The other ranks do not know.
      if communicator.board.claimsTheWord() { report(error.description) }
      watchdog?.stop(code: error.code.rawValue, isAlone: true)
      if communicator.worldSize > 1 { communicator.abort(error.code.rawValue) }
      code = error.code.rawValue
    } catch let error as MPIError {
      tellAndAbort(communicator, watchdog, error)
    } catch let error as ParsingEnd {
      if communicator.rank == 0 { error.tell() }
      code = error.code
    } catch {
      // Nobody knows whether the others are here too.
      tellAndAbort(communicator, watchdog, error)
    }
    if code == 0, let failure = standardOutputFailure {
      report(failure)
      code = failure.code.rawValue
    }
    // A job that was asked to stop does so, however often it is asked.
    if code != ExitCode.stopped.rawValue { StopSignal.release() }
    watchdog?.stop(code: code)
    do {
      try communicator.barrier()
      try communicator.finalize()
    } catch {
      report("rank \(communicator.rank): \(error)")
    }
    return code
  }

  /// Several ranks may fail for the same reason: one tells.
  private static func tellAndAbort(
    _ communicator: any Communicator, _ watchdog: Watchdog?, _ error: any Error
  ) -> Never {
    if communicator.board.claimsTheWord() { report("rank \(communicator.rank): \(error)") }
    watchdog?.stop(code: ExitCode.internal.rawValue, isAlone: true)
    communicator.abort(ExitCode.internal.rawValue)
  }

  /// A stop on request is no error.
  private static func report(_ error: DistsgdError) {
    if error.code == .stopped { standardError("distsgd: \(error)") } else { report(error.description) }
  }

  private static func report(_ message: String) {
    standardError("distsgd: error: \(message)")
  }

  /// The command line as a command. Every rank parses the same words and comes to the same end. A request for
  /// help is a command of ArgumentParser's own, which ends the parsing when it runs.
  private static func parse() throws -> ParsableCommand {
    // Nobody knows what was asked for; without a word that would be the default command.
    guard CommandLine.arguments.first?.isEmpty == false else {
      throw AgreedError(
        DistsgdError(
          .usage,
          "the program was started without its command line, of which its name is the first word; start it by its name, as in 'distsgd --help'"
        ))
    }
    do {
      var command = try Distsgd.parseAsRoot()
      if !Distsgd.includes(type(of: command)) { try command.run() }
      return command
    } catch {
      throw ParsingEnd(error)
    }
  }
}

extension ParsableCommand {
  /// Whether `command` is this one or among its subcommands, at any depth.
  fileprivate static func includes(_ command: any ParsableCommand.Type) -> Bool {
    command == Self.self || configuration.subcommands.contains { $0.includes(command) }
  }
}

/// Parsing that ends the program: help, the version, or a mistake in the command line.
private struct ParsingEnd: Error {
  private let error: any Error

  init(_ error: any Error) { self.error = error }

  private var isMistake: Bool { Distsgd.exitCode(for: error) != .success }

  var code: Int32 { isMistake ? System.ExitCode.usage.rawValue : 0 }

  func tell() {
    if isMistake {
      var message = Distsgd.message(for: error).split(separator: "\n").joined(separator: " ")
      if message.hasSuffix(".") { message.removeLast() }
      standardError("distsgd: error: \(message); see 'distsgd --help'")
    } else {
      standardOutput(Distsgd.fullMessage(for: error))
    }
  }
}

typealias ExitCode = System.ExitCode
