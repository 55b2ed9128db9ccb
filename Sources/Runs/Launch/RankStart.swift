// How to start several ranks, with what mpirun needs for that on this machine.
import Glibc
import System

/// A command line for a job of several ranks, and what is set beside this process's environment.
package struct RankStart: Equatable, Sendable {
  /// What a machine is like, as far as mpirun has to be told.
  package struct Machine: Sendable {
    /// Cores that may be used at the same time, and the logical CPUs of them.
    package var cores, cpus: Int
    package var isRoot: Bool
    /// Whether other processes' memory may not be read, as in most containers.
    package var isContainer: Bool

    package init(cores: Int, cpus: Int, isRoot: Bool, isContainer: Bool) {
      self.cores = cores
      self.cpus = cpus
      self.isRoot = isRoot
      self.isContainer = isContainer
    }

    package static var this: Machine {
      Machine(
        cores: availablePhysicalCores(), cpus: availableCores(), isRoot: geteuid() == 0,
        isContainer: access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0)
    }
  }

  /// Where the ranks run.
  package enum Place: Sendable {
    /// Here; `isBound`: each keeps cores of its own, where there are enough.
    case here(isBound: Bool)
    /// As mpirun's option `--host` has it: `node01:8,node02:8`.
    case hosts(String)
    case hostfile(String)
  }

  package let program: String
  package let arguments: [String]
  /// Variables that are set already win.
  package let environment: [String: String]

  /// - Parameters:
  ///   - ranks: nil: one for each slot of the hosts. One rank here is started without mpirun, as a user would.
  ///   - command: the program and its arguments.
  package init(ranks: Int?, on place: Place, _ machine: Machine = .this, command: [String]) {
    var environment: [String: String] = [:]
    var words: [String]
    switch place {
    case .here where ranks == 1:
      (program, arguments, self.environment) = (command[0], Array(command.dropFirst()), [:])
      return
    case .here(let isBound):
      let ranks = ranks ?? machine.cores
      if ranks <= machine.cpus, !isBound {
        words = ["--bind-to", "none"]
      } else if ranks <= machine.cores {
        // Each rank keeps its own cores, so that neither its threads nor its memory wander.
        words = ["--map-by", "slot:PE=\(machine.cores / ranks)", "--bind-to", "core"]
      } else if ranks <= machine.cpus {
        words = ["--use-hwthread-cpus", "--bind-to", "hwthread"]
      } else {
        // More ranks than cores: whoever waits must let the others run.
        words = ["--oversubscribe", "--bind-to", "none"]
        environment["OMPI_MCA_mpi_yield_when_idle"] = "1"
      }
      words = ["-np", "\(ranks)"] + words
    case .hosts(let list): words = (ranks.map { ["-np", "\($0)"] } ?? []) + ["--host", list]
    case .hostfile(let path): words = (ranks.map { ["-np", "\($0)"] } ?? []) + ["--hostfile", path]
    }
    // Open MPI's own way to write lists of hosts ends in an error for a name with an underscore.
    environment["OMPI_MCA_regx"] = "naive"
    if machine.isRoot {
      environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
      environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    }
    if machine.isContainer { environment["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none" }
    // Else every rank would start a pool of threads for all cores; `--threads` raises the number later.
    environment["OPENBLAS_NUM_THREADS"] = "1"
    (program, arguments, self.environment) = ("mpirun", words + command, environment)
  }

  /// What is set in the environment of the start.
  private var missing: [String: String] { environment.filter { environmentValue($0.key) == nil } }

  package static let notInstalled = DistsgdError(
    .noInput, "'mpirun' is not installed, and several ranks need it: install openmpi-bin")

  /// Runs the job to its end.
  /// - Parameter output: the file that what it says goes to.
  func run(output: String) throws -> ChildOutcome {
    let outcome = runChild(program, arguments, environment: missing, output: output)
    if outcome == .notFound { throw Self.notInstalled }
    return outcome
  }

  /// Runs the job to its end.
  /// - Parameter others: what is set beside what the start needs.
  /// - Returns: how it ended, and what it said.
  package func heard(beside others: [String: String] = [:]) -> (outcome: ChildOutcome, words: String) {
    hearChild(program, arguments, environment: missing.merging(others) { $1 })
  }

  /// Becomes the job: signals and the exit code are its own.
  package func become() throws -> Never {
    for (name, value) in missing { setenv(name, value, 1) }
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    execvp(program, &words)
    guard errno != ENOENT else { throw Self.notInstalled }
    throw DistsgdError(.internal, "'\(program)' cannot be started: \(errorText(errno))")
  }
}
