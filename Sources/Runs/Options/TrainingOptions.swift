// What a user can say about a run, and what is wrong with it before any data are read.
import DataFormats
import DistributedSGD
import NeuralNet
import System

/// The options of `train`; nil means a default that depends on the data or the job.
public struct TrainingOptions: Sendable {
  /// What is trained on.
  public var data = DataOptions()
  /// The layers; nil: what the data set suggests.
  public var model: ModelSpecification?
  /// Of the data's default model, where that is an `mlp`.
  public var activation = Activation.relu
  /// What batch norms average over that do not say it themselves; nil: a shard.
  public var batchNorm: BatchNorm.Span?
  /// nil: squared for values, cross-entropy for classes.
  public var loss: (any Loss)?
  /// Who computes products and functions: libraries, fast on the processors that they know, or kernels whose bits are
  /// the same on any machine.
  public var arithmetic = ArithmeticName.blas
  /// How a gradient changes the parameters.
  public var optimizer: any Optimizer = SGD()
  /// What is done to a gradient that is too large.
  public var clipping: Clipping?
  /// Tensors without weight decay.
  public var noDecayFor: Set<DecayExemption> = []
  /// A safetensors file to start from.
  public var initialize: String?
  /// B, examples of an update over all ranks; N at most. Of a smaller set that nobody has chosen it for, N.
  public var globalBatch = 128 {
    didSet { isGlobalBatchChosen = true }
  }
  /// Whether `globalBatch` is more than a default.
  private(set) var isGlobalBatchChosen = false
  /// V; nil: `shardCount` tells.
  public var shards: Int?
  /// Examples of a pass at most; nil: a shard.
  public var microBatch: Int?
  /// What happens to the examples that do not fill a batch.
  public var lastBatch = LastBatch.keep
  /// nil: 2, or as many as `steps` take.
  public var epochs: Int?
  /// Updates of the run at most.
  public var steps: Int?
  /// Of the first parameters, the order of the examples and all masks.
  public var seed: UInt64 = 0
  /// The order of an epoch.
  public var sampling = Sampling.shuffle
  /// How often the training set is repeated in an epoch.
  public var copies = 1
  /// η before its schedule; nil: the optimizer's own, or 0.4 for one layer on numbers and 0.1 for all others.
  public var learningRate: Double?
  /// How η changes.
  public var schedule: any Schedule = ConstantSchedule()
  /// How η comes to what the schedule has.
  public var warmUp: WarmUp?
  /// How η, which is then meant for a batch of `baseBatch`, goes with the global batch.
  public var batchScaling: BatchScaling?
  /// Examples of the batch that `learningRate` is meant for, where it is scaled.
  public var baseBatch: Int?
  /// How pictures are changed before they are trained on.
  public var augmentation: Augmentation?
  /// ε: so much of a label is shared among all classes.
  public var labelSmoothing: Double?
  /// How much an example of each class counts; nil: all the same.
  public var classWeights: ClassWeights?
  /// Whether examples are drawn so that all classes come equally often.
  public var balancesClasses = false
  /// α of mixup's Beta(α, α); nil: examples are not mixed.
  public var mixup: Double?
  /// Evaluations without a better validation loss after which a run ends; nil: it goes on.
  public var earlyStopping: Int?
  /// Whether a run ends with the model of the best validation loss, and not with the last.
  public var keepsBest = false
  /// What an average over the steps keeps of itself at each; it is evaluated and saved in the parameters' place.
  public var averageDecay: Double?
  /// Whether the mean of the parameters at epochs' ends is evaluated and saved in their place.
  public var averagesEpochs = false
  /// The first epoch of that mean; nil: 1.
  public var averagesFrom: Int?
  /// Updates after which a run ends that is to be made again, whatever its length; no setting of a run.
  package var lastStep: Int?
  /// Examples between evaluations; nil is an epoch.
  public var evaluateEvery: Int?
  /// Steps between lines of `metrics.jsonl`.
  public var logEvery = 10
  /// Whether TensorBoard's event files are written beside it.
  public var writesEvents = false
  /// Whether they tell a hash of the parameters, for `verify`.
  public var logsHashes = false
  /// BLAS threads of a rank; another number may give other last bits.
  public var threads = 1
  /// Bytes of gradient that travel between servers together; nil: as measured when the run starts.
  public var bucketSize: ByteCount?
  /// By which way they travel; nil: the one that should take less time.
  public var messages: Travel.Route?
  /// What all sums of gradients are rounded to, and what an update changes; that is what travels between servers.
  public var wire = GradientFormat.fp32
  /// Which cores a rank may use.
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
  /// How long the program may take; then it ends in good order, and can go on.
  public var timeLimit: TimeLimit?
  /// What goes wrong on purpose.
  package var faults: [Fault] = []
  /// The run's folder; nil: a new one under `runs/`.
  public var output: String?
  /// Some steps of all ranks as a timeline; nil: none is made.
  package var trace: TraceOptions?
  /// Whether the last line alone is printed.
  public var isQuiet = false

  /// The defaults of `distsgd train`.
  public init() {}

  /// Epochs to run at most.
  public var epochLimit: Int { epochs ?? (steps == nil ? 2 : Int.max) }

  /// What η is multiplied by for an update.
  func learningRateFactor(_ moment: ScheduleMoment) -> Double {
    warmUp?.factor(schedule, moment) ?? schedule.factor(moment)
  }

  /// What η is multiplied by for the size of the global batch.
  var batchFactor: Double {
    guard let batchScaling, let baseBatch else { return 1 }
    return batchScaling.factor(globalBatch: globalBatch, baseBatch: baseBatch)
  }

  /// How gradients travel between servers.
  var travel: TravelChoice {
    var choice = TravelChoice()
    choice.bucketBytes = bucketSize?.bytes
    choice.route = messages
    return choice
  }

  /// Whether η is the same in all updates.
  var isConstantRate: Bool { schedule is ConstantSchedule && warmUp == nil }

  /// Updates of the whole run.
  func totalSteps(stepsPerEpoch: Int) -> Int {
    let (product, overflow) = epochLimit.multipliedReportingOverflow(by: stepsPerEpoch)
    return min(steps ?? Int.max, overflow ? Int.max : product)
  }

  /// The same with a global batch that a set of so many positions has, where none was chosen.
  func fitted(to positions: Int) -> TrainingOptions {
    guard !isGlobalBatchChosen, positions < globalBatch else { return self }
    var options = self
    options.globalBatch = max(1, positions)
    return options
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
    switch clipping {
    case .norm(let limit): try DecimalRange.clipNorm.check(limit)
    case .value(let limit): try DecimalRange.clipValue.check(limit)
    case nil: break
    }
    try NumberRange.baseBatch.check(baseBatch)
    try checkInputs()
    try checkModelAtEnd()
    try require(
      batchScaling == nil || baseBatch != nil,
      "--scale-learning-rate \(batchScaling?.rawValue ?? ""): for which batch is --learning-rate meant? Say it by --base-batch, such as 32"
    )
    try require(
      batchScaling != nil || baseBatch == nil,
      "--base-batch \(baseBatch ?? 0): nothing is scaled; say how by --scale-learning-rate linear or sqrt, or leave it out"
    )
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
