// A program's way in: one process, or a rank of a job, with the data and the trainer of a few lines.
import Glibc
import MPI
import NeuralNet

/// The job that this process is, or is a rank of.
public final class Job {
  public let communicator: any Communicator

  /// Joins the job that a launcher has started, or makes one of this process alone.
  /// - Throws: `MPIError`, or `DistsgdError` when a launcher gives ranks no means to find each other.
  public init() throws {
    StandardStreams.makeSafe()
    switch Launcher.find(in: currentEnvironment()) {
    case .none: communicator = SingleProcessCommunicator()
    case .mpi: communicator = try MPICommunicator()
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
