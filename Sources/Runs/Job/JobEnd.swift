// A whole program as a job: the one place where errors are told and become exit codes.
import DistributedSGD
import Glibc
import MPI
import System

/// An end of the program that is no error of a rank: help that was asked for, or a mistake in a command line, which all
/// ranks find alike.
package protocol ToldEnd: Error {
  var code: Int32 { get }
  /// Tells the user; on one rank.
  func tell()
}

extension Job {
  /// Runs a program on every rank of a job, or in one process, and ends it: with 0, or one line on standard error that
  /// says what was wrong and the exit code of its kind (`ExitCode`).
  public static func run(_ body: (Job) throws -> Void) -> Never {
    let job: Job
    do { job = try Job() } catch {
      // What is wrong with the way all were started is told once.
      if !(error is DistsgdError) || Launcher.isFirst(in: currentEnvironment()) { report("\(error)") }
      leave(((error as? DistsgdError)?.code ?? .internal).rawValue)
    }
    leave(job.end(after: body))
  }

  /// Ends a program that could not begin, with a line that tells why.
  package static func leave(after error: any Error) -> Never {
    let error = (error as? AgreedError)?.error ?? error
    report("\(error)")
    leave(((error as? DistsgdError)?.code ?? .internal).rawValue)
  }

  /// Ends the process. Nothing is left to be done in it, and what libraries do at an exit can hang: OpenBLAS waits for
  /// threads that may never have got their memory.
  private static func leave(_ code: Int32) -> Never {
    fflush(nil)
    StopSignal.release()
    _exit(code)
  }

  /// Runs the program on this rank; returns the job's exit code, the same on all ranks.
  private func end(after body: (Job) throws -> Void) -> Int32 {
    var code: Int32 = 0
    do {
      try communicator.tellEnvironment(found: environment)
      try body(self)
    } catch let error as AgreedError {
      // Every rank is here: one of them tells, and all end in good order.
      if rank == 0 { Self.report(error.error) }
      code = error.error.code.rawValue
    } catch let error as DistsgdError {
      // The other ranks do not know.
      if communicator.board.claimsTheWord() { Self.report(error) }
      code = error.code.rawValue
      endWatch(code, isAlone: true)
      if worldSize > 1 { communicator.abort(code) }
    } catch let end as any ToldEnd {
      if rank == 0 { end.tell() }
      code = end.code
    } catch {
      // Nobody knows whether the others are here too. Several ranks may fail for the same reason: one tells.
      if communicator.board.claimsTheWord() { Self.report("rank \(rank): \(error)") }
      endWatch(ExitCode.internal.rawValue, isAlone: true)
      communicator.abort(ExitCode.internal.rawValue)
    }
    if code == 0, let failure = standardOutputFailure {
      Self.report(failure)
      code = failure.code.rawValue
    }
    // A job that was asked to stop does so, however often it is asked.
    if code != ExitCode.stopped.rawValue { StopSignal.release() }
    endWatch(code)
    do {
      try communicator.barrier()
      try communicator.finalize()
    } catch {
      Self.report("rank \(rank): \(error)")
    }
    return code
  }

  /// A stop on request is no error.
  private static func report(_ error: DistsgdError) {
    if error.code == .stopped { standardError("distsgd: \(error)") } else { report(error.description) }
  }

  private static func report(_ message: String) {
    standardError("distsgd: error: \(message)")
  }
}
