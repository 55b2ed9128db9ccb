// The one error type that reaches a user, with the exit code it ends the job with.
import Text

/// Exit codes of the program: sysexits' where they fit (`sysexits.h`), 76 for a diverged loss.
public enum ExitCode: Int32, Sendable {
  case usage = 64
  case badData = 65
  case noInput = 66
  case `internal` = 70
  case cannotCreate = 73
  case inputOutput = 74
  case stopped = 75
  case diverged = 76
}

/// What is wrong, where (file, row, column, flag), and what would be right, in one line: names in it may be of others.
public struct DistsgdError: Error, CustomStringConvertible, Sendable {
  public let code: ExitCode
  public let description: String

  public init(_ code: ExitCode, _ description: String) {
    self.code = code
    self.description = visible(description)
  }
}
