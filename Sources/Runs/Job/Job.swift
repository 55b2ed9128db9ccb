// A program's way in: one process, or a rank of a job that a launcher has started.
import CSignals
import DataFormats
import DistributedSGD
import Glibc
import MPI
import System

/// The job that this process is, or is a rank of. What is said to be collective, every rank calls; all of it belongs to
/// the thread that made the job (MPI's `MPI_THREAD_SERIALIZED`). A watchdog ends the job when a rank of it has died or
/// stands still, with a line that names it.
///
/// `Job.run` is the whole of a program: it tells errors and ends all ranks in good order. Who makes a job by `init` ends
/// it by `finish`.
public final class Job {
  /// What the ranks say to each other with.
  public let communicator: any Communicator
  private let watchdog: Watchdog?
  /// What was changed in how this rank computes, before it was set to the default.
  let environment: Int

  /// Joins the job that a launcher has started, or makes one of this process alone. Collective.
  /// - Throws: `MPIError`, or `DistsgdError` when a launcher gives ranks no means to find each other.
  public init() throws {
    StandardStreams.makeSafe()
    MemoryRefusal.watch()
    // Before anything is computed, and again after MPI has loaded its plugins.
    var environment = FloatingPointEnvironment.setDefault()
    communicator = try Self.join()
    environment |= FloatingPointEnvironment.setDefault()
    self.environment = environment
    try communicator.agreeOnKernel()
    ConsoleStyle.setRank(communicator.rank, host: communicator.hostName)
    if communicator.rank == 0, !(communicator is SingleProcessCommunicator) { RelayedOutput.watch() }
    watchdog = try Watchdog(over: communicator)
  }

  private static func join() throws -> any Communicator {
    let environment = currentEnvironment()
    switch Launcher.find(in: environment) {
    case .none: return SingleProcessCommunicator()
    case .slurmWithOldPMI(let tasks) where OpenMPIParts.speaksOldPMI == false:
      throw DistsgdError(
        .usage,
        "srun has started \(tasks) tasks by way of PMI-1 or PMI-2, which this Open MPI has not been built for; use 'srun --mpi=pmix' or 'mpirun'"
      )
    case .mpi, .slurmWithOldPMI:
      watchStart(environment)
      let communicator = try MPICommunicator()
      csignals_end_watch_of_start()
      let processes = Launcher.processes(in: environment) ?? 1
      if communicator.worldSize == 1, processes > 1 {
        try communicator.finalize()
        throw DistsgdError(
          .usage,
          "the launcher has started \(processes) processes, which do not find each other: it belongs to another MPI (MPICH, Intel MPI) than the Open MPI that distsgd uses; start them with Open MPI's mpirun ('mpirun --version' tells whose it is), or under Slurm with 'srun --mpi=pmix'"
        )
      }
      return communicator
    case .slurmWithoutPMI(let tasks):
      throw DistsgdError(
        .usage,
        "srun has started \(tasks) tasks that cannot find each other; use 'srun --mpi=pmix' or 'mpirun'")
    }
  }

  /// This process, from 0 to below `worldSize`.
  public var rank: Int { communicator.rank }
  /// Processes of the job.
  public var worldSize: Int { communicator.worldSize }

  /// Seconds after which a rank that others wait for is given up, 60 at first; 0: never.
  public var timeout: Double {
    get { communicator.board.timeout }
    set { communicator.board.timeout = newValue }
  }

  /// A data set by name or path, as `--data` takes it, shared by the ranks of a server. Collective.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  public func load(_ data: String) throws -> Dataset {
    var options = DataOptions()
    options.data = data
    return try share(try loadData(options).training)
  }

  /// Examples of the program's own, shared by the ranks of a server. Collective.
  /// - Parameter examples: made on the first rank of each server alone, and the same on all of them.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  public func share(_ examples: @autoclosure () throws -> Examples) throws -> Dataset {
    let made = try communicator.agreeingOnErrors { communicator.isServerLeader ? try examples() : nil }
    return try Dataset(sharing: made, over: communicator)
  }

  /// Prints a line once, on rank 0.
  public func report(_ line: String) {
    if rank == 0 { standardOutput(line) }
  }

  /// Ends the job in good order. Collective, and the last thing a program does.
  public func finish() throws {
    watchdog?.stop(code: 0)
    try communicator.barrier()
    try communicator.finalize()
  }

  /// This rank is about to end.
  /// - Parameter isAlone: whether the others do not know yet.
  func endWatch(_ code: Int32, isAlone: Bool = false) { watchdog?.stop(code: code, isAlone: isAlone) }
}

/// Has this rank say, when the launcher ends it while MPI starts, which rank of its server is missing.
private func watchStart(_ environment: [String: String]) {
  guard let job = environment["PMIX_NAMESPACE"],
    let ranks = environment["OMPI_COMM_WORLD_LOCAL_SIZE"].flatMap(Int32.init), ranks > 1,
    let rank = environment["OMPI_COMM_WORLD_LOCAL_RANK"].flatMap(Int32.init)
  else { return }
  csignals_watch_start(job, rank, ranks, hostName())
}
