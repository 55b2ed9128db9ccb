// A run from options to files: load, build, train epoch by epoch, evaluate, report.
import Glibc
import MPI
import NeuralNet

/// One training run over all ranks of a job. Every method is collective.
public final class TrainingRun {
  public let options: TrainingOptions
  public let communicator: any Communicator
  public let trainer: Trainer
  public let sampler: Sampler
  public let schedule: BatchSchedule
  public let shards: Shards

  private let setUp: SetUp
  private let training: Evaluator
  private let validation: Evaluator?
  private let log: RunLog
  let baseLearningRate: Float

  private var epoch = 0
  private var stepOfEpoch = 0
  /// Examples seen since the start.
  private var exampleCount = 0
  private var trainingSeconds = 0.0
  private var epochLoss = WeightedMean()
  private var timings = RankTimings(ranks: [])
  /// The evaluations so far.
  public private(set) var evaluations: [EvaluationPoint] = []

  /// Loads the data, builds the model and opens the output folder.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  public convenience init(_ options: TrainingOptions, communicator: any Communicator) throws {
    let setUp = try SetUp(options, communicator: communicator)
    let log = try communicator.together { try RunLog(options, isActive: communicator.rank == 0) }
    try self.init(options, setUp: setUp, log: log, communicator: communicator)
  }

  /// A run on data that are loaded already, which writes and prints nothing: a part of an experiment.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  public convenience init(
    _ options: TrainingOptions, sharing setUp: SetUp, communicator: any Communicator
  ) throws {
    let setUp = try setUp.with(options, communicator: communicator)
    let log = try RunLog(options, isActive: false)
    try self.init(options, setUp: setUp, log: log, communicator: communicator)
  }

  private init(
    _ options: TrainingOptions, setUp: SetUp, log: RunLog, communicator: any Communicator
  ) throws {
    self.options = options
    self.communicator = communicator
    self.setUp = setUp
    self.log = log
    baseLearningRate = setUp.learningRate
    BLAS.setThreads(options.threads)
    sampler = Sampler(
      options.sampling, exampleCount: setUp.training.count, copies: options.copies, seed: options.seed)
    schedule = BatchSchedule(
      exampleCount: sampler.count, globalBatch: options.globalBatch, lastBatch: options.lastBatch)
    shards = Shards(
      count: options.shards ?? communicator.worldSize, worldSize: communicator.worldSize)
    trainer = try Trainer(
      model: setUp.model, loss: setUp.loss, dataset: setUp.training, sampler: sampler, schedule: schedule,
      shards: shards, microBatch: options.microBatch, optimizer: SGD(), learningRate: setUp.learningRate,
      communicator: communicator)
    training = Evaluator(
      model: setUp.model, loss: setUp.loss, dataset: setUp.training, communicator: communicator)
    validation = setUp.validation.map {
      Evaluator(model: setUp.model, loss: setUp.loss, dataset: $0, communicator: communicator)
    }
    try setUp.initialize(trainer.parameters, communicator: communicator)
    try log.start(
      setUp: setUp,
      arithmetic: batchArithmetic(
        globalBatch: options.globalBatch, shards: shards, topology: communicator.topology),
      communicator: communicator, shards: shards, schedule: schedule)
  }

  /// Trains to the end and writes all files.
  /// - Throws: `AgreedError` on every rank alike, for example when the loss diverges; `DistsgdError` on
  ///   rank 0 alone when it cannot write metrics; `MPIError`.
  public func run() throws {
    try communicator.barrier()
    trainer.clock.restart()
    let stepLimit = options.steps ?? Int.max
    while epoch < options.epochLimit && trainer.stepCount < stepLimit {
      try runEpoch(stepLimit: stepLimit)
    }
    try finish()
  }

  /// The loss over the training set at the end of `run`.
  public private(set) var finalLoss = Double.nan

  /// Training time so far, evaluation excluded.
  public var seconds: Double { trainingSeconds }

  /// sec/epoch, evaluation excluded.
  public var secondsPerEpoch: Double { fractionalEpoch > 0 ? trainingSeconds / fractionalEpoch : 0 }

  private func runEpoch(stepLimit: Int) throws {
    let order = sampler.order(epoch: epoch)
    let evaluationInterval = options.evaluateEvery
    var start = monotonicSeconds()
    epochLoss = WeightedMean()
    stepOfEpoch = 0
    while stepOfEpoch < schedule.stepsPerEpoch && trainer.stepCount < stepLimit {
      let positions = schedule.positions(step: stepOfEpoch)
      if options.schedule != .constant { setLearningRate() }
      try trainer.step(order, positions: positions)
      stepOfEpoch += 1
      let loss = trainer.batchLoss
      guard loss.isFinite else { throw diverged(loss) }
      epochLoss.add(Double(loss), weight: positions.count)
      exampleCount += positions.count
      if trainer.stepCount % options.logEvery == 0 {
        try log.step(
          trainer, epoch: epoch + 1, examples: exampleCount, loss: loss,
          seconds: trainingSeconds + monotonicSeconds() - start)
      }
      if let interval = evaluationInterval,
        exampleCount / interval > (exampleCount - positions.count) / interval
      {
        trainingSeconds += monotonicSeconds() - start
        try evaluate()
        start = monotonicSeconds()
      }
    }
    trainingSeconds += monotonicSeconds() - start
    epoch += 1
    if evaluationInterval == nil { try evaluate() }
    trainer.clock.mark(.other)
    let epochTimings = try RankTimings.collect(trainer.clock, over: communicator)
    if communicator.rank == 0 {
      timings.add(epochTimings)
      try log.epoch(
        epoch, examples: exampleCount, loss: epochLoss.value, seconds: trainingSeconds,
        timings: epochTimings, topology: communicator.topology)
    }
  }

  /// Evaluates with the training clock stopped: on the validation set, or the training set without one.
  private func evaluate() throws {
    trainer.clock.mark(.other)
    let result = try (validation ?? training).evaluate(trainer.parameters.baseAddress!)
    trainer.clock.mark(.evaluate)
    try checkFinite(result.loss)
    evaluations.append(
      EvaluationPoint(examples: exampleCount, seconds: trainingSeconds, evaluation: result))
    try log.evaluation(
      result, set: validation == nil ? "training" : "validation", epoch: fractionalEpoch,
      step: trainer.stepCount, examples: exampleCount, seconds: trainingSeconds)
  }

  /// Over the training set: the last one, if it was made there and nothing has changed since.
  private func evaluationAtEnd() throws -> Evaluation {
    if validation == nil, let last = evaluations.last, last.examples == exampleCount {
      return last.evaluation
    }
    return try training.evaluate(trainer.parameters.baseAddress!)
  }

  private func setLearningRate() {
    let factor = options.schedule.factor(step: trainer.stepCount, stepsPerEpoch: schedule.stepsPerEpoch)
    trainer.learningRate = Float(Double(baseLearningRate) * factor)
  }

  private func finish() throws {
    let final = try evaluationAtEnd()
    try checkFinite(final.loss)
    finalLoss = final.loss
    try communicator.together {
      guard communicator.rank == 0 else { return }
      if log.isActive { try setUp.save(trainer.parameters, to: log.folder.model) }
      try log.end(
        loss: final, seconds: trainingSeconds,
        validation: validation == nil ? nil : evaluations.last?.evaluation, secondsPerEpoch: secondsPerEpoch,
        hash: parameterHash,
        timings: timings, topology: communicator.topology)
    }
  }

  /// Epochs done, with a part of an epoch as its fraction.
  var fractionalEpoch: Double {
    let examples = options.lastBatch == .keep ? sampler.count : schedule.stepsPerEpoch * options.globalBatch
    return Double(exampleCount) / Double(examples)
  }

  /// XXH64 of the parameters' bytes.
  public var parameterHash: UInt64 { hashOfParameters(trainer) }

  /// Counted from 1.
  private var epochOfLastStep: Int { max(trainer.stepCount - 1, 0) / schedule.stepsPerEpoch + 1 }

  private func checkFinite(_ loss: Double) throws {
    if !loss.isFinite { throw diverged(Float(loss)) }
  }

  private func diverged(_ loss: Float) -> AgreedError {
    AgreedError(
      DistsgdError(
        .diverged,
        "the loss became \(loss) at step \(trainer.stepCount) of epoch \(epochOfLastStep): training diverged; lower --learning-rate (it is \(trainer.learningRate))"
      ))
  }
}

/// An evaluation, and when it was made.
public struct EvaluationPoint: Sendable {
  /// Examples trained on before it.
  public var examples: Int
  /// Training time before it.
  public var seconds: Double
  public var evaluation: Evaluation
}

func hashOfParameters(_ trainer: Trainer) -> UInt64 {
  xxh64(UnsafeRawBufferPointer(trainer.parameters))
}

/// A mean over examples, added up in double precision.
private struct WeightedMean {
  private var sum = 0.0
  private var weight = 0

  mutating func add(_ value: Double, weight: Int) {
    sum += value * Double(weight)
    self.weight += weight
  }

  var value: Double { weight == 0 ? 0 : sum / Double(weight) }
}
