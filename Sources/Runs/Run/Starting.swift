// The ways into a run: anew, from a checkpoint, or as a part of an experiment.
import DistributedSGD
import MPI
import System

extension TrainingRun {
  /// Loads the data, builds the model and opens the output folder.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  public convenience init(_ options: TrainingOptions, on job: Job) throws {
    try self.init(options, communicator: job.communicator)
  }

  /// Goes on with a run, in its folder, after its newest checkpoint: on any number of ranks up to its shards.
  /// - Parameters:
  ///   - options: those of the run that is resumed, but for what may change: how long it is, and what it tells.
  ///   - folder: of the run.
  /// - Throws: `AgreedError` on every rank alike, also when something differs that would change the result;
  ///   `MPIError`.
  public convenience init(
    _ options: TrainingOptions, resuming folder: String, allowing allowances: Resumption.Allowances = .init(),
    on job: Job
  ) throws {
    try self.init(
      options, resuming: Resumption(folder, communicator: job.communicator), allowances,
      communicator: job.communicator)
  }

  package convenience init(_ options: TrainingOptions, communicator: any Communicator) throws {
    let setUp = try SetUp(options, communicator: communicator)
    let log = try communicator.agreeingOnErrors {
      try RunLog(setUp.options, isActive: communicator.rank == 0)
    }
    try self.init(setUp.options, setUp: setUp, log: log, hasFolder: true, communicator: communicator)
  }

  package convenience init(
    _ options: TrainingOptions, resuming resumption: Resumption, _ allowances: Resumption.Allowances,
    communicator: any Communicator
  ) throws {
    try communicator.agreeingOnErrors { try resumption.check(options) }
    var loading = options
    loading.initialize = nil
    let setUp = try SetUp(loading, communicator: communicator)
    var resumption = resumption
    try communicator.agreeingOnErrors {
      try resumption.check(setUp, isServerLeader: communicator.isServerLeader, allowances)
    }
    try self.init(
      options, setUp: setUp, log: RunLog(options, resumption.files), hasFolder: true, resuming: resumption,
      communicator: communicator)
  }

  /// A run on data that are loaded already, which writes and prints nothing: a part of an experiment.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  package convenience init(
    _ options: TrainingOptions, sharing setUp: SetUp, communicator: any Communicator
  ) throws {
    let setUp = try setUp.with(options, communicator: communicator)
    try self.init(setUp.options, on: setUp, communicator: communicator)
  }

  /// A run that keeps nothing but its parameters, with the model and data that were made for it.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  package convenience init(
    _ options: TrainingOptions, on setUp: SetUp, communicator: any Communicator
  ) throws {
    let log = try RunLog(options, isActive: false)
    try self.init(options, setUp: setUp, log: log, hasFolder: false, communicator: communicator)
  }
}
