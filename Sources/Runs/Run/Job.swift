// A program's way in: one process, or a rank of a job, with the data and the trainer of a few lines.
import CSignals
import DataFormats
import DistributedSGD
import Glibc
import MPI
import NeuralNet
import System

/// The job that this process is, or is a rank of.
public final class Job {
  public let communicator: any Communicator

  /// Joins the job that a launcher has started, or makes one of this process alone.
  /// - Throws: `MPIError`, or `DistsgdError` when a launcher gives ranks no means to find each other.
  public init() throws {
    StandardStreams.makeSafe()
    let environment = currentEnvironment()
    switch Launcher.find(in: environment) {
    case .none: communicator = SingleProcessCommunicator()
    case .mpi:
      watchStart(environment)
      communicator = try MPICommunicator()
      csignals_end_watch_of_start()
      let processes = Launcher.processes(in: environment) ?? 1
      if communicator.worldSize == 1, processes > 1 {
        try communicator.finalize()
        throw DistsgdError(
          .usage,
          "the launcher has started \(processes) processes, which do not find each other: it belongs to another MPI (MPICH, Intel MPI) than the Open MPI that distsgd uses; start them with Open MPI's mpirun ('mpirun --version' tells whose it is), or under Slurm with 'srun --mpi=pmix'"
        )
      }
    case .slurmWithoutPMI(let tasks):
      throw DistsgdError(
        .usage,
        "srun has started \(tasks) tasks that cannot find each other; use 'srun --mpi=pmix' or 'mpirun'")
    }
  }

  public var rank: Int { communicator.rank }
  public var worldSize: Int { communicator.worldSize }

  /// A data set by name or path, shared by the ranks of a server. Collective.
  public func load(_ data: String) throws -> Dataset {
    var options = DataOptions()
    options.data = data
    let loaded = try communicator.together { communicator.isServerLeader ? try loadData(options) : nil }
    return try Dataset(sharing: loaded?.training, over: communicator)
  }

  /// Prints a line once, on rank 0.
  public func report(_ line: String) {
    if rank == 0 { standardOutput(line) }
  }

  /// Ends the job in good order. Collective, and the last thing a program does.
  public func finish() throws {
    try communicator.barrier()
    try communicator.finalize()
  }
}

/// Has this rank say, when the launcher ends it while MPI starts, which rank of its server is missing.
private func watchStart(_ environment: [String: String]) {
  guard let job = environment["PMIX_NAMESPACE"],
    let ranks = environment["OMPI_COMM_WORLD_LOCAL_SIZE"].flatMap(Int32.init), ranks > 1,
    let rank = environment["OMPI_COMM_WORLD_LOCAL_RANK"].flatMap(Int32.init)
  else { return }
  csignals_watch_start(job, rank, ranks, hostName())
}

extension Trainer {
  /// A trainer for a whole data set with one shard a rank, its parameters drawn from N(0, 0.01²). Collective.
  /// - Parameter optimizer: as for `--optimizer`: `sgd`, `adam:beta1=0.8` …
  /// - Throws: `WordError` for an optimizer that there is not, `MPIError`.
  public convenience init(
    _ optimizer: String, learningRate: Float, _ model: Sequential, loss: some Loss, data: Dataset,
    globalBatch: Int, seed: UInt64 = 0, on job: Job
  ) throws {
    try self.init(
      model: model, loss: loss, dataset: data,
      sampler: Sampler(.shuffle, exampleCount: data.count, seed: seed),
      schedule: BatchSchedule(exampleCount: data.count, globalBatch: globalBatch, lastBatch: .keep),
      shards: Shards(count: job.worldSize, worldSize: job.worldSize), microBatch: nil,
      optimizer: try Catalog.optimizer(optimizer), learningRate: learningRate, communicator: job.communicator)
    Initialization.normal.fill(parameters.baseAddress!, of: model, seed: seed)
    try job.communicator.barrier()
  }
}

/// A regression set by name or path, whole in this process: x of shape (examples, width) and y of shape
/// (examples). For programs that do the rest themselves.
/// - Throws: `DistsgdError`, also when the targets are classes.
public func regressionData(_ data: String) throws -> (x: [Float], y: [Float], width: Int) {
  var options = DataOptions()
  options.data = data
  options.task = .regression
  let training = try loadData(options).training
  guard case .float32(let x) = training.features, case .values(let y) = training.targets else {
    throw DistsgdError(.badData, "'\(data)' is not a regression set of numbers; use airfoil-like or a table")
  }
  return (x, y, training.featureCount)
}
