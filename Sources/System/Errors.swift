// The one error type that reaches a user, with the exit code it ends the job with.
import Text

/// Exit codes of the program: sysexits' where they fit (`sysexits.h`), 76 for a diverged loss.
public enum ExitCode: Int32, Sendable {
  /// The command line is wrong.
  case usage = 64
  /// Data, or a file of the run, are wrong.
  case badData = 65
  /// A file is not there, or may not be read.
  case noInput = 66
  /// A rank went astray, MPI failed, or there is a mistake in the program.
  case `internal` = 70
  /// A file cannot be made.
  case cannotCreate = 73
  /// A file or standard output cannot be written, or has gone away.
  case inputOutput = 74
  /// Stopped on request; it can go on.
  case stopped = 75
  /// The loss is no number.
  case diverged = 76
}

/// What is wrong, where (file, row, column, flag), and what would be right, in one line: names in it may be of others.
public struct DistsgdError: Error, CustomStringConvertible, Sendable {
  /// What the process ends with.
  public let code: ExitCode
  /// What is wrong, where, and what would be right.
  public let description: String

  /// What control characters it has are made visible.
  public init(_ code: ExitCode, _ description: String) {
    self.code = code
    self.description = visible(description)
  }
}
