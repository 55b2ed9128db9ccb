// How to start several ranks on this machine.
import Glibc
import System

/// mpirun's command line for a job on this machine alone.
struct LocalLaunch {
  let program: String
  let arguments: [String]
  let environment: [String: String]

  /// - Parameters:
  ///   - ranks: one rank is started without mpirun, as a user would.
  ///   - command: the program and its arguments.
  init(ranks: Int, command: [String]) {
    if ranks == 1 {
      program = command[0]
      arguments = Array(command.dropFirst())
      environment = [:]
      return
    }
    program = "mpirun"
    arguments = ["-np", "\(ranks)", "--bind-to", "none"] + command
    // Open MPI's own way to write lists of hosts ends in an error for a name with an underscore.
    var environment = environmentValue("OMPI_MCA_regx") == nil ? ["OMPI_MCA_regx": "naive"] : [:]
    if geteuid() == 0 {
      environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
      environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    }
    if ranks > availableCores() { environment["OMPI_MCA_rmaps_base_oversubscribe"] = "1" }
    self.environment = environment
  }

  func run(output: String) throws -> ChildOutcome {
    let outcome = runChild(program, arguments, environment: environment, output: output)
    if outcome == .notFound {
      throw DistsgdError(
        .noInput, "'\(program)' is not installed, and several ranks need it: install openmpi-bin")
    }
    return outcome
  }
}
