// A run from options to files: load, build, train epoch by epoch, evaluate, report.
import DataFormats
import DistributedSGD
import Glibc
import MPI
import NeuralNet
import System

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
  package let baseLearningRate: Float

  private var state = RunState()
  /// When the training clock was last started; nil while it stands.
  private var clockStart: Double?
  /// On rank 0 of a run with a folder.
  private var checkpointing: Checkpointing?
  /// Whether it can stop on request: where there is a folder to go on from.
  private let canStop: Bool
  private var drill: FaultDrill?
  private var timings = RankTimings(ranks: [])
  /// Whether rank 0 has all of the optimizer's state as it is after the last step, of several servers.
  private var hasGathered = false
  private let isConstantRate: Bool
  /// The evaluations so far.
  public private(set) var evaluations: [EvaluationPoint] = []

  /// Loads the data, builds the model and opens the output folder.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  public convenience init(_ options: TrainingOptions, communicator: any Communicator) throws {
    let setUp = try SetUp(options, communicator: communicator)
    let log = try communicator.together { try RunLog(options, isActive: communicator.rank == 0) }
    try self.init(options, setUp: setUp, log: log, canStop: true, communicator: communicator)
  }

  /// Goes on with a run, in its folder, after its newest checkpoint.
  /// - Parameter options: those of the run that is resumed, but for what may change.
  /// - Throws: `AgreedError` on every rank alike, also when something differs that would change the result;
  ///   `MPIError`.
  public convenience init(
    _ options: TrainingOptions, resuming resumption: Resumption, _ allowances: Resumption.Allowances,
    communicator: any Communicator
  ) throws {
    try communicator.together { try resumption.check(options) }
    var loading = options
    loading.initialize = nil
    let setUp = try SetUp(loading, communicator: communicator)
    try communicator.together {
      try resumption.check(setUp, isServerLeader: communicator.isServerLeader, allowances)
    }
    try self.init(
      options, setUp: setUp, log: RunLog(options, resumption.files), canStop: true, resuming: resumption,
      communicator: communicator)
  }

  /// A run on data that are loaded already, which writes and prints nothing: a part of an experiment.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  public convenience init(
    _ options: TrainingOptions, sharing setUp: SetUp, communicator: any Communicator
  ) throws {
    let setUp = try setUp.with(options, communicator: communicator)
    let log = try RunLog(options, isActive: false)
    try self.init(options, setUp: setUp, log: log, canStop: false, communicator: communicator)
  }

  private init(
    _ options: TrainingOptions, setUp: SetUp, log: RunLog, canStop: Bool, resuming: Resumption? = nil,
    communicator: any Communicator
  ) throws {
    self.canStop = canStop
    self.options = options
    self.communicator = communicator
    self.setUp = setUp
    self.log = log
    baseLearningRate = setUp.learningRate
    isConstantRate = options.schedule is ConstantSchedule
    let placement = try Placement(options.binding, over: communicator)
    BLAS.setThreads(options.threads)
    sampler = Sampler(
      options.sampling, exampleCount: setUp.training.count, copies: options.copies, seed: options.seed)
    schedule = BatchSchedule(
      exampleCount: sampler.count, globalBatch: options.globalBatch, lastBatch: options.lastBatch)
    shards = Shards(
      count: options.shards ?? communicator.worldSize, worldSize: communicator.worldSize)
    trainer = try Trainer(
      model: setUp.model, loss: setUp.loss, dataset: setUp.training, sampler: sampler, schedule: schedule,
      shards: shards, microBatch: options.microBatch, optimizer: options.optimizer,
      learningRate: setUp.learningRate, communicator: communicator)
    trainer.settingsHash = options.settingsHash
    trainer.checkEvery = options.checkEvery
    drill = FaultDrill(options.faults, rank: communicator.rank)
    training = Evaluator(
      model: setUp.model, loss: setUp.loss, dataset: setUp.training, communicator: communicator)
    validation = setUp.validation.map {
      Evaluator(model: setUp.model, loss: setUp.loss, dataset: $0, communicator: communicator)
    }
    let moment = try communicator.together { try resuming?.moment() }
    if let resuming, let moment {
      try resuming.restore(
        trainer.parameters, trainer.optimizerState, of: setUp.model, communicator: communicator)
      state = moment.state
      trainer.stepCount = state.step
    } else {
      try setUp.initialize(trainer.parameters, communicator: communicator)
    }
    try log.start(
      setUp: setUp,
      arithmetic: batchArithmetic(
        globalBatch: options.globalBatch, shards: shards, topology: communicator.topology),
      communicator: communicator, shards: shards, schedule: schedule, placement: placement, resumed: moment)
    if let files = log.files { checkpointing = Checkpointing(of: self, setUp: setUp, files: files) }
  }

  /// Trains to the end and writes all files. When `StopSignal` has come on any rank, all ranks finish the step, write
  /// a checkpoint and stop.
  /// - Throws: `AgreedError` on every rank alike, for example when the loss diverges; `DistsgdError` on
  ///   rank 0 alone when it cannot write metrics; `MPIError`.
  public func run() throws {
    try communicator.barrier()
    communicator.board.isPunctual = true
    defer { communicator.board.isPunctual = false }
    trainer.clock.restart()
    while state.epoch < options.epochLimit && state.step < stepLimit { try runEpoch() }
    try finish()
  }

  /// The loss over the training set at the end of `run`.
  public private(set) var finalLoss = Double.nan

  /// Training time so far, evaluation excluded.
  public var seconds: Double { state.trainingSeconds + (clockStart.map { monotonicSeconds() - $0 } ?? 0) }

  /// sec/epoch, evaluation excluded.
  public var secondsPerEpoch: Double { fractionalEpoch > 0 ? seconds / fractionalEpoch : 0 }

  private var stepLimit: Int { options.steps ?? Int.max }

  private func runEpoch() throws {
    let order = sampler.order(epoch: state.epoch)
    clockStart = monotonicSeconds()
    while state.stepOfEpoch < schedule.stepsPerEpoch && state.step < stepLimit {
      try step(order, positions: schedule.positions(step: state.stepOfEpoch))
      if trainer.receivedRequests.contains(.stop) { throw try stopped() }
      if let checkpointing,
        checkpointing.isDue(
          state, stepsPerEpoch: schedule.stepsPerEpoch,
          isCompared: trainer.comparedLastStep && (hasGathered || !trainer.optimizerState.isSplit))
      {
        write(checkpointing, try moment())
      }
    }
    if isLastEpoch {
      try compareParameters()
      if options.checkpointEvery != nil { try trainer.optimizerState.gather() }
      if let checkpointing, checkpointing.isPeriodic { write(checkpointing, try moment()) }
    }
    stopClock()
    state.epoch += 1
    if options.evaluateEvery == nil { try evaluate() }
    trainer.clock.mark(.other)
    let epochTimings = try RankTimings.collect(trainer.clock, over: communicator)
    if communicator.rank == 0 {
      timings.add(epochTimings)
      try log.epoch(
        state.epoch, examples: state.examples, loss: state.epochLoss.value, seconds: seconds,
        timings: epochTimings, topology: communicator.topology)
    }
    state.stepOfEpoch = 0
    state.epochLoss = WeightedMean()
  }

  /// A step, and what is told of it.
  private func step(_ order: EpochOrder, positions: Range<Int>) throws {
    if !isConstantRate { setLearningRate() }
    if canStop { prepareRequests() }
    let mayBeKept = trainer.checksNextStep
    var positions = positions
    drill?.strike(trainer, positions: &positions)
    try trainer.step(order, positions: positions)
    if let suspect = trainer.suspect { throw desynchronized(suspect) }
    // Rank 0 may make a checkpoint of this step; where the state lies on several servers, all know of it beforehand.
    hasGathered = mayBeKept && trainer.optimizerState.isSplit
    if hasGathered { try trainer.optimizerState.gather() }
    let loss = trainer.batchLoss
    guard loss.isFinite else { throw diverged(loss) }
    state.step = trainer.stepCount
    state.stepOfEpoch += 1
    state.epochLoss.add(Double(loss), weight: positions.count)
    state.examples += positions.count
    if state.step % options.logEvery == 0 {
      try log.step(trainer, epoch: state.epoch + 1, examples: state.examples, loss: loss, seconds: seconds)
    }
    if let interval = options.evaluateEvery,
      state.examples / interval > (state.examples - positions.count) / interval
    {
      stopClock()
      try evaluate()
      clockStart = monotonicSeconds()
    }
  }

  /// What this rank asks of all in the next step, and whether that is one which a checkpoint will be made of.
  private func prepareRequests() {
    trainer.requests = StopSignal.hasCome || checkpointing?.hasFailed == true ? .stop : []
    if checkpointing?.wantsComparison == true { trainer.requests.insert(.comparison) }
    trainer.checksNextStep =
      trainer.receivedRequests.contains(.comparison)
      || options.checkpointEvery?.isDue(
        step: state.step + 1, stepOfEpoch: state.stepOfEpoch + 1, stepsPerEpoch: schedule.stepsPerEpoch,
        epoch: state.epoch) == true
  }

  /// Begins a checkpoint; the others may have to wait until the one before is on the disk.
  private func write(_ checkpointing: Checkpointing, _ moment: CheckpointWriter.Moment) {
    communicator.board.takesItsTime { checkpointing.write(trainer, moment) }
    trainer.clock.mark(.other)
  }

  /// Compares all copies of the parameters as they are now. Collective.
  private func compareParameters() throws {
    try communicator.requireDefaultEnvironment()
    if let suspect = try trainer.compareParameters(over: communicator) { throw desynchronized(suspect) }
  }

  private func desynchronized(_ suspect: Suspect) -> AgreedError {
    AgreedError(
      DistsgdError(
        .internal,
        suspect.words(topology: communicator.topology) + " in step \(trainer.stepCount): "
          + "the job ends before a checkpoint is made of it; go on from the newest one with --resume"))
  }

  private func stopClock() {
    state.trainingSeconds = seconds
    clockStart = nil
  }

  private var isLastEpoch: Bool { state.epoch + 1 >= options.epochLimit || state.step >= stepLimit }

  /// What a checkpoint tells of now.
  private func moment() throws -> CheckpointWriter.Moment {
    let (metricsBytes, timingsBytes) = try log.position()
    var now = state
    now.trainingSeconds = seconds
    return CheckpointWriter.Moment(state: now, metricsBytes: metricsBytes, timingsBytes: timingsBytes)
  }

  /// Writes a checkpoint and tells how to go on. Collective.
  /// - Throws: `AgreedError`, when the checkpoint, or the one before it, could not be written.
  private func stopped() throws -> AgreedError {
    try compareParameters()
    try trainer.optimizerState.gather()
    try together {
      guard let checkpointing else { return }
      try checkpointing.finish()
      checkpointing.write(trainer, try moment())
      try checkpointing.finish()
    }
    let folder = try communicator.broadcastString(log.folder.path, from: 0)
    let launch = communicator.worldSize > 1 ? "mpirun -np \(communicator.worldSize) " : ""
    return AgreedError(
      DistsgdError(
        .stopped, "stopped after step \(state.step); go on with: \(launch)distsgd --resume \(folder)"))
  }

  /// Evaluates with the training clock stopped: on the validation set, or the training set without one.
  private func evaluate() throws {
    trainer.clock.mark(.other)
    let result = try (validation ?? training).evaluate(trainer.parameters.baseAddress!)
    trainer.clock.mark(.evaluate)
    try checkFinite(result.loss)
    let point = EvaluationPoint(examples: state.examples, seconds: seconds, evaluation: result)
    evaluations.append(point)
    state.lastEvaluation = point
    try log.evaluation(
      result, set: validation == nil ? "training" : "validation", epoch: fractionalEpoch, step: state.step,
      examples: state.examples, seconds: seconds)
  }

  /// Over the training set: the last one, if it was made there and nothing has changed since.
  private func evaluationAtEnd() throws -> Evaluation {
    if validation == nil, let last = state.lastEvaluation, last.examples == state.examples {
      return last.evaluation
    }
    return try training.evaluate(trainer.parameters.baseAddress!)
  }

  private func setLearningRate() {
    let factor = options.schedule.factor(
      ScheduleMoment(
        step: state.step, stepsPerEpoch: schedule.stepsPerEpoch,
        totalSteps: options.totalSteps(stepsPerEpoch: schedule.stepsPerEpoch)))
    trainer.learningRate = Float(Double(baseLearningRate) * factor)
  }

  private func finish() throws {
    let final = try evaluationAtEnd()
    try checkFinite(final.loss)
    finalLoss = final.loss
    let memory = try communicator.allReduce(proportionalSetSize(), .sum)
    try together {
      guard communicator.rank == 0 else { return }
      try checkpointing?.finish()
      try log.files?.inPlace { try setUp.save(trainer.parameters, to: log.folder.model) }
      try log.end(
        loss: final, seconds: seconds,
        validation: validation == nil ? nil : state.lastEvaluation?.evaluation,
        secondsPerEpoch: secondsPerEpoch,
        hash: parameterHash, memoryBytes: memory,
        timings: timings, topology: communicator.topology)
      if let text = checkpointing?.lateness { log.note(text) }
    }
  }

  /// As the communicator's; rank 0 may take as long as its disk does.
  private func together(_ body: () throws -> Void) throws {
    try communicator.together { try communicator.board.takesItsTime(body) }
  }

  /// Epochs done, with a part of an epoch as its fraction.
  package var fractionalEpoch: Double {
    let examples = options.lastBatch == .keep ? sampler.count : schedule.stepsPerEpoch * options.globalBatch
    return Double(state.examples) / Double(examples)
  }

  /// XXH64 of the parameters' bytes.
  public var parameterHash: UInt64 { trainer.parameterHash }

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
