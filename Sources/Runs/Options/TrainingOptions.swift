// What a user can say about a run, and what is wrong with it before any data are read.
import DataFormats
import DistributedSGD
import NeuralNet
import System

/// The options of `train`; nil means a default that depends on the data or the job.
public struct TrainingOptions: Sendable {
  public var data = DataOptions()
  public var model: ModelSpecification?
  /// Of the data's default model, where that is an `mlp`.
  public var activation = Activation.relu
  public var loss: (any Loss)?
  /// Who computes products and functions: libraries, fast on the processors that they know, or kernels whose bits are
  /// the same on any machine.
  public var arithmetic = ArithmeticName.blas
  public var optimizer: any Optimizer = SGD()
  /// A safetensors file to start from.
  public var initialize: String?
  public var globalBatch = 128
  public var shards: Int?
  public var microBatch: Int?
  public var lastBatch = LastBatch.keep
  public var epochs: Int?
  public var steps: Int?
  public var seed: UInt64 = 0
  public var sampling = Sampling.shuffle
  public var copies = 1
  public var learningRate: Double?
  public var schedule: any Schedule = ConstantSchedule()
  /// Examples between evaluations; nil is an epoch.
  public var evaluateEvery: Int?
  public var logEvery = 10
  public var logsHashes = false
  public var threads = 1
  public var binding = Binding.none
  /// nil: a checkpoint is written only when the run is asked to stop.
  public var checkpointEvery: CheckpointInterval?
  /// The newest checkpoints stay, older ones are removed.
  public var checkpointsKept = 3
  /// Steps from one comparison of the ranks' parameters to the next.
  public var checkEvery = 100
  /// Seconds after which a rank that others wait for is given up; 0: never.
  public var timeout = 60.0
  /// Whether ranks may compute with different kernels, which makes the bits depend on who computes what.
  public var acceptsOtherKernel = false
  public var faults: [Fault] = []
  public var output: String?
  public var isQuiet = false

  public init() {}

  /// Epochs to run at most.
  public var epochLimit: Int { epochs ?? (steps == nil ? 2 : Int.max) }

  /// Updates of the whole run.
  func totalSteps(stepsPerEpoch: Int) -> Int {
    let (product, overflow) = epochLimit.multipliedReportingOverflow(by: stepsPerEpoch)
    return min(steps ?? Int.max, overflow ? Int.max : product)
  }

  /// Checks all that needs no data.
  public func validate(worldSize: Int) throws {
    func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
      if !condition { throw DistsgdError(.usage, message()) }
    }
    try NumberRange.globalBatch.check(globalBatch)
    try NumberRange.shards.check(shards)
    try NumberRange.microBatch.check(microBatch)
    try NumberRange.epochs.check(epochs)
    try NumberRange.steps.check(steps)
    try NumberRange.examples.check(data.examples)
    try NumberRange.copies.check(copies)
    try NumberRange.evaluateEvery.check(evaluateEvery)
    try NumberRange.logEvery.check(logEvery)
    try NumberRange.threads.check(threads)
    try NumberRange.checkpointsKept.check(checkpointsKept)
    try NumberRange.checkEvery.check(checkEvery)
    try DecimalRange.timeout.check(timeout)
    try DecimalRange.learningRate.check(learningRate)
    if let shards {
      try require(
        shards >= worldSize,
        "--shards \(shards): fewer than the \(worldSize) ranks; every rank needs a shard, so use at least \(worldSize)"
      )
    }
    for fault in faults {
      try require(
        fault.rank < worldSize, "--inject: there is no rank \(fault.rank) among \(worldSize) ranks")
    }
  }
}

/// `--bind`'s values.
public enum Binding: String, Sendable, CaseIterable {
  /// Leave things as the launcher and the system have them.
  case none
  /// Bind every rank to its share of the server's cores.
  case core
}
