// A run from options to files: load, build, train epoch by epoch, evaluate, report.
import DataFormats
import DistributedSGD
import MPI
import NeuralNet
import System

/// One training run over all ranks of a job: with checkpoints, metrics and timings in its folder, and stopping in good
/// order when a signal comes. Every method is collective, and belongs to the thread that has joined the job.
public final class TrainingRun {
  /// As they were given.
  public let options: TrainingOptions
  /// The model as it is now. Between two steps alone may it be evaluated.
  public let trainer: Trainer
  package let sampler: Sampler
  package let schedule: BatchSchedule
  package let shards: Shards
  let communicator: any Communicator
  private let cores: ServerCores
  let setUp: SetUp
  let log: RunLog
  /// Nil for a run without a folder to go on from: it cannot be stopped.
  let checkpointing: Checkpointing?
  /// nil where η stays as it is.
  private let rates: LearningRates?
  /// The next step that is told, with the norm of its gradient; the same on all ranks.
  private var nextTold = Int.max
  let provenance: Provenance
  /// What is told of the validation set beside the loss; nil without one.
  let task: MeasuredTask?

  let modelAtEnd: ModelAtEnd

  private(set) var state: RunState
  private(set) var clock: TrainingClock
  /// What was asked before the last step.
  private var heard: Requests = []
  private var isAskedToStop = false
  /// When this rank asks all to end; on rank 0 of a run with a time limit.
  private var deadline = Double.infinity
  // Private, as all that a step reads: others' writes would have each reading checked.
  private var heedsSignals = false
  private let drill: FaultDrill?
  private var hooks: [StepHook] = []
  /// The first step after which one may have to be called.
  private var nextHook = Int.max
  var timings = RankTimings(ranks: [])
  /// Nil where nobody asked for one.
  private var trace: Trace?
  private var growth = LossGrowth()
  /// The evaluations so far: on the validation set, or the training set without one.
  public private(set) var evaluations: [EvaluationPoint] = []
  /// The loss over the training set at the end of `run`.
  public private(set) var finalLoss = Double.nan

  init(
    _ options: TrainingOptions, setUp: SetUp, log: RunLog, hasFolder: Bool, resuming: Resumption? = nil,
    communicator: any Communicator
  ) throws {
    self.options = options
    self.communicator = communicator
    self.setUp = setUp
    self.log = log
    let placement = try Placement(options.binding, over: communicator)
    cores = placement.cores
    BLAS.setThreads(options.threads)
    sampler = options.sampler(of: setUp.training)
    schedule = BatchSchedule(
      exampleCount: sampler.count, globalBatch: options.globalBatch, lastBatch: options.lastBatch)
    rates =
      options.isConstantRate
      ? nil : LearningRates(options, stepsPerEpoch: schedule.stepsPerEpoch, base: setUp.learningRate)
    shards = Shards(
      count: options.shardCount(ranks: communicator.worldSize), worldSize: communicator.worldSize)
    var provenance = Provenance(setUp, options, shards: shards.count)
    resuming?.complete(&provenance, options.arithmetic)
    self.provenance = provenance
    task =
      setUp.validation == nil
      ? nil
      : try MeasuredTask(setUp.preprocessing, setUp.model, setUp.loss, setUp.training, over: communicator)
    trainer = try Trainer(
      model: setUp.model, loss: setUp.loss, dataset: setUp.training, sampler: sampler, schedule: schedule,
      shards: shards, microBatch: options.microBatch, treatment: setUp.treatment,
      optimizer: options.optimizer, clipping: options.clipping, noDecayFor: options.noDecayFor,
      learningRate: setUp.learningRate,
      arithmetic: setUp.arithmetic, wire: options.wire, travel: options.travel,
      settingsHash: options.settingsHash,
      checkEvery: options.checkEvery,
      communicator: communicator)
    modelAtEnd = try ModelAtEnd(
      options, parameterCount: setUp.model.parameterCount, communicator: communicator)
    drill = FaultDrill(options.faults, rank: communicator.rank)
    let moment = try communicator.agreeingOnErrors { try resuming?.moment() }
    state = moment?.state ?? RunState()
    clock = TrainingClock(seconds: state.trainingSeconds)
    trainer.stepCount = state.step
    if let resuming {
      try resuming.restore(
        trainer.parameters, trainer.optimizerState, modelAtEnd, of: setUp.model, communicator: communicator)
    } else {
      try setUp.initialize(trainer.parameters, communicator: communicator)
    }
    let arithmetic = batchArithmetic(
      globalBatch: options.globalBatch, shards: shards, topology: communicator.topology)
    try log.start(
      setUp: setUp, arithmetic: arithmetic, communicator: communicator, shards: shards, schedule: schedule,
      placement: placement, resumed: moment)
    checkpointing =
      hasFolder
      ? Checkpointing(
        of: trainer, options, setUp, provenance, log: log, modelAtEnd: modelAtEnd, board: communicator.board)
      : nil
    if hasFolder, communicator.rank == 0, let limit = options.timeLimit {
      deadline = monotonicSeconds() + limit.seconds - processAge()
    }
    if hasFolder { nextTold = (state.step / options.logEvery + 1) * options.logEvery }
    if log.isActive { afterSteps(every: options.logEvery) { [log] in try log.step($0) } }
  }

  /// Has `body` run on every rank after each `interval`th step: the same on all, for it may be collective.
  public func afterSteps(every interval: Int = 1, _ body: @escaping (StepMoment) throws -> Void) {
    precondition(interval >= 1, "a hook is called after every step, or every second one, or …")
    hooks.append(StepHook(interval: interval, body: body))
    nextHook = 0
  }

  /// Has a run without a folder stop when a signal has come that somebody else has caught.
  package func heedSignals() { heedsSignals = true }

  /// Asks all ranks to stop after the next step, as a signal would: with a checkpoint. Any rank may ask.
  public func stop() { isAskedToStop = true }

  /// Trains to the end and writes all files. When SIGTERM, SIGINT, SIGUSR1 or SIGHUP has come to any rank, all ranks
  /// finish the step, write a checkpoint and stop.
  /// - Throws: `AgreedError` on every rank alike, for example when the loss diverges; `DistsgdError` on
  ///   rank 0 alone when it cannot write metrics; `MPIError`.
  public func run() throws {
    // Until here a signal ends the job: there is nothing yet that it could lose.
    if checkpointing != nil { StopSignal.catchAll() }
    if let options = options.trace {
      let total = self.options.totalSteps(stepsPerEpoch: schedule.stepsPerEpoch)
      trace = try Trace(
        options, steps: options.range(done: state.step, total: total), trainer.clock, over: communicator)
    }
    try communicator.barrier()
    communicator.board.isPunctual = true
    defer { communicator.board.isPunctual = false }
    trainer.clock.restart()
    do {
      while state.epoch < options.epochLimit && state.step < stepLimit && !stopsEarly { try runEpoch() }
    } catch is TimeIsUp {
      clock.stop()
      try endInTime()
      return
    }
    try finish()
  }

  /// Training time so far, in seconds, evaluation excluded.
  public var seconds: Double { clock.seconds }

  /// sec/epoch, evaluation excluded.
  public var secondsPerEpoch: Double { fractionalEpoch > 0 ? seconds / fractionalEpoch : 0 }

  /// Epochs done, with a part of an epoch as its fraction.
  package var fractionalEpoch: Double {
    let examples = options.lastBatch == .keep ? sampler.count : schedule.stepsPerEpoch * options.globalBatch
    return Double(state.examples) / Double(examples)
  }

  /// η before its schedule.
  package var baseLearningRate: Float { setUp.learningRate }

  /// XXH64 of the parameters' bytes.
  public var parameterHash: UInt64 { trainer.parameterHash }

  private var stepLimit: Int { min(options.steps ?? Int.max, options.lastStep ?? Int.max) }

  /// Whether the validation loss has not improved for as long as that is waited for; the same on all ranks.
  private var stopsEarly: Bool { options.earlyStopping != nil && options.stopsEarly(state) }

  private func runEpoch() throws {
    let order = sampler.order(epoch: state.epoch)
    trainer.clock.begin(epochFrom: state.step + 1, steps: schedule.stepsPerEpoch - state.stepOfEpoch)
    clock.run()
    while state.stepOfEpoch < schedule.stepsPerEpoch && state.step < stepLimit && !stopsEarly {
      try step(order)
    }
    if isLastEpoch {
      try compareParameters()
      try checkpointing?.keepLastEpoch(state, clock)
    }
    clock.stop()
    if options.writesEvents { try tellHistograms() }
    state.epoch += 1
    if options.evaluateEvery == nil { try evaluate() }
    trainer.clock.mark(.other)
    let epochTimings = try RankTimings.collect(trainer.clock, over: communicator) { use in
      use[.cores] = Double(cores.count)
      use[.localRanks] = Double(cores.localRanks)
      use[.examples] = Double(shards.exampleCount(of: communicator.rank, batch: options.globalBatch))
    }
    try trainer.compareClocks()
    if communicator.rank == 0 {
      let loss = state.epochLoss.value
      if log.isActive, let first = growth.start(of: loss) { log.warn(words(ofGrowthFrom: first, to: loss)) }
      timings.add(epochTimings)
      try log.epoch(
        state.epoch, steps: (state.step, state.stepOfEpoch), examples: state.examples, loss: loss,
        seconds: seconds,
        timings: epochTimings, topology: communicator.topology)
    }
    state.stepOfEpoch = 0
    state.epochLoss = WeightedMean()
  }

  /// A step, and what is told of it.
  private func step(_ order: EpochOrder) throws {
    if let rates { trainer.learningRate = rates.rate(state.step) }
    var plan = StepPlan(positions: schedule.positions(step: state.stepOfEpoch))
    if isAskedToStop || heedsSignals && StopSignal.hasCome { plan.requests = .stop }
    if deadline < .infinity, monotonicSeconds() >= deadline { plan.requests.insert(.end) }
    if state.step + 1 == nextTold {
      plan.measured = nextTold % (10 * options.logEvery) == 0 ? .halves : .whole
      nextTold += options.logEvery
    }
    checkpointing?.prepare(
      &plan, step: state.step, stepOfEpoch: state.stepOfEpoch, epoch: state.epoch, heard: heard)
    drill?.strike(trainer, positions: &plan.positions)
    let result = try trainer.step(order, plan)
    heard = result.requests
    if let suspect = result.suspect { throw desynchronized(suspect) }
    try checkpointing?.gather(plan)
    guard result.loss.isFinite else { throw diverged(result.loss) }
    let count = plan.positions.count
    state.advance(loss: result.loss, examples: count)
    growth.add(result.loss)
    if plan.measured == .halves, let sample = trainer.noise(ofBatch: count) {
      // Not in place: an access to the state that another module's call is a part of would have all others checked.
      var noise = state.noise
      noise.add(sample)
      state.noise = noise
    }
    if let average = modelAtEnd.average {
      state.averagedCount = try average.add(
        trainer.parameters, count: state.averagedCount,
        finishedEpoch: state.stepOfEpoch == schedule.stepsPerEpoch ? state.epoch + 1 : nil)
    }
    if state.step >= nextHook {
      try callHooks(loss: result.loss, noiseScale: plan.measured == .halves ? state.noise.value : nil)
    }
    if let interval = options.evaluateEvery, state.examples / interval > (state.examples - count) / interval {
      clock.stop()
      try evaluate()
      clock.run()
    }
    if !heard.isEmpty || checkpointing?.isPeriodic == true { try heed(isCompared: result.isCompared) }
  }

  /// What was asked before the last step, and a checkpoint where one is due; in most steps there is nothing of it.
  private func heed(isCompared: Bool) throws {
    guard let checkpointing else {
      if heedsSignals, heard.contains(.stop) {
        throw AgreedError(DistsgdError(.stopped, "stopped after step \(state.step)"))
      }
      return
    }
    if heard.contains(.stop) { throw try stopped(checkpointing) }
    // A run that is done by then ends as it would.
    if heard.contains(.end), !(isLastEpoch && state.stepOfEpoch == schedule.stepsPerEpoch),
      state.step < stepLimit
    {
      throw TimeIsUp()
    }
    if checkpointing.isPeriodic { try checkpointing.keepIfDue(state, isCompared: isCompared, clock) }
  }

  private func callHooks(loss: Float, noiseScale: Double?) throws {
    // What they take is nothing of the next step's.
    defer { trainer.clock.mark(.other) }
    nextHook = hooks.map { state.step + $0.interval - state.step % $0.interval }.min() ?? .max
    let moment = StepMoment(
      step: state.step, epoch: state.epoch + 1, examples: state.examples, loss: loss, seconds: seconds,
      noiseScale: noiseScale, trainer: trainer)
    for hook in hooks where state.step % hook.interval == 0 { try hook.body(moment) }
  }

  private var isLastEpoch: Bool {
    state.epoch + 1 >= options.epochLimit || state.step >= stepLimit || stopsEarly
  }

  /// Evaluates with the training clock stopped: on the validation set, or the training set without one.
  func evaluate() throws {
    trainer.clock.mark(.other)
    let evaluated = modelAtEnd.evaluated(trainer, state)
    let result = try trainer.evaluate(
      on: setUp.validation ?? setUp.training, measuring: task, parameters: evaluated)
    trainer.clock.mark(.evaluate)
    try requireFinite(result.loss)
    let point = EvaluationPoint(examples: state.examples, seconds: seconds, evaluation: result)
    evaluations.append(point)
    state.lastEvaluation = point
    if options.earlyStopping != nil || options.keepsBest, state.isBest(result.loss) {
      modelAtEnd.best?.keep(evaluated)
    }
    try log.evaluation(
      result, set: setUp.validation == nil ? "training" : "validation", epoch: fractionalEpoch,
      step: state.step,
      examples: state.examples, seconds: seconds)
  }

  /// Over the training set: the last one, if it was made there and nothing has changed since.
  func evaluationAtEnd() throws -> Evaluation {
    if setUp.validation == nil, !options.keepsBest, let last = state.lastEvaluation,
      last.examples == state.examples
    {
      return last.evaluation
    }
    return try trainer.evaluate(on: setUp.training)
  }

  private func finish() throws {
    // Nobody has compared the parameters of a run that has ended early at the end of an epoch.
    if stopsEarly { try compareParameters() }
    let modelStep = try modelAtEnd.install(in: trainer, state)
    let final = try evaluationAtEnd()
    try requireFinite(final.loss)
    try tellEnd(final, modelStep: modelStep, isFinished: true)
  }

  /// Writes the model, and tells how good it is. Collective.
  func tellEnd(_ final: Evaluation, modelStep: Int, isFinished: Bool) throws {
    finalLoss = final.loss
    let memory = try communicator.allReduce(proportionalSetSize(), .sum)
    let peak = try communicator.allReduce(peakResidentBytes(), .maximum)
    let recorded = try trace?.gather()
    try communicator.agreeingOnErrors {
      // Rank 0 may take as long as its disk does.
      try communicator.board.takesItsTime {
        guard communicator.rank == 0 else { return }
        try checkpointing?.finish()
        try saveModel(step: modelStep)
        try log.end(
          loss: final, seconds: seconds,
          validation: setUp.validation == nil ? nil : state.lastEvaluation?.evaluation,
          secondsPerEpoch: secondsPerEpoch, hash: trainer.parameterHash, memoryBytes: (memory, peak),
          timings: timings,
          topology: communicator.topology,
          model: ModelWords(
            options: options, state: state, step: modelStep, className: setUp.preprocessing.className),
          isFinished: isFinished)
        if let text = checkpointing?.lateness { log.note(text) }
        if let trace, let recorded, let warning = try trace.write(recorded) { log.warn(warning) }
      }
    }
  }
}
