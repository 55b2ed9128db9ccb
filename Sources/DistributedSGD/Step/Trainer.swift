// One step of synchronous data-parallel SGD: the whole of it, on one screen.
import MPI
import NeuralNet
import System

/// Trains a model on this rank's shards of every batch, together with the other ranks. It belongs to the thread that has
/// joined the job; between servers a thread of its own may talk for it (MPI's `MPI_THREAD_SERIALIZED`).
public final class Trainer {
  /// What is trained.
  public let model: Sequential
  /// What is minimised.
  public let loss: any Loss
  /// The training set.
  public let dataset: Dataset
  package let sampler: Sampler
  /// The batches of an epoch.
  public let schedule: BatchSchedule
  /// Where this rank's time goes.
  public let clock: PhaseClock
  private let communicator: any Communicator
  private let arithmetic: Arithmetic
  private let shards: Shards
  private let gradients: ShardGradients
  private let reduction: GradientReduction
  /// Whether this rank has a copy of the parameters to be compared, or speaks for a server that has.
  private let ownsComparedCopy: Bool
  /// A hash of all that the ranks must have in common beside the step itself.
  private let settingsHash: UInt64
  /// Steps from one comparison of the ranks' parameters to the next.
  private let checkEvery: Int
  // What changes from step to step is private, and goes in and out by value.
  private var rate: Float
  private var steps = 0
  private var evaluator: Evaluator?
  private var clocksCompared = monotonicSeconds()

  /// Collective over all ranks.
  /// - Throws: `AgreedError` where model, loss and data do not fit each other; `MPIError`.
  package init(
    model: Sequential, loss: any Loss, dataset: Dataset, sampler: Sampler, schedule: BatchSchedule,
    shards: Shards, microBatch: Int?, treatment: Treatment = Treatment(), optimizer: any Optimizer,
    clipping: Clipping? = nil,
    noDecayFor: Set<DecayExemption> = [], learningRate: Float, arithmetic: Arithmetic = .blas,
    wire: GradientFormat = .fp32, travel: TravelChoice = TravelChoice(),
    settingsHash: UInt64 = 0, checkEvery: Int = 100, communicator: any Communicator
  ) throws {
    try requireFit(model, loss, dataset)
    self.model = model
    self.loss = loss
    self.arithmetic = arithmetic
    self.dataset = dataset
    self.sampler = sampler
    self.schedule = schedule
    self.settingsHash = settingsHash
    self.checkEvery = checkEvery
    self.communicator = communicator
    self.shards = shards
    rate = learningRate
    clock = PhaseClock(over: communicator)
    ownsComparedCopy = communicator.topology.serverCount == 1 || communicator.isServerLeader
    reduction = try GradientReduction(
      parameterCount: model.parameterCount, tensors: model.tensors, shards: shards,
      activeShards: schedule.batchSizes.map(shards.active),
      rule: UpdateRule(optimizer, clipping: clipping, noDecayFor: noDecayFor),
      format: wire,
      travel: try travel.chosen(parameterCount: model.parameterCount, format: wire, over: communicator),
      overlaps: !model.needsGlobalBatch, communicator: communicator)
    gradients = ShardGradients(
      model: model, loss: loss, dataset: dataset, sampler: sampler, schedule: schedule, shards: shards,
      microBatch: microBatch, treatment: treatment, arithmetic: arithmetic, addition: reduction.addition,
      nodes: reduction.nodes,
      parameters: reduction.parameters, progress: reduction.passes,
      clock: clock, communicator: communicator)
  }

  /// η. May be set between steps, to the same on all ranks.
  public var learningRate: Float {
    get { rate }
    set { rate = newValue }
  }

  /// Updates made so far.
  public package(set) var stepCount: Int {
    get { steps }
    set { steps = newValue }
  }

  /// The mean loss of the last step's batch, before its update.
  public var batchLoss: Float { reduction.loss }

  /// The norm of the gradient of the last step's batch, over all that is trained and before clipping; nil where the step
  /// was not to measure it.
  public var gradientNorm: Double? { reduction.gradientNorm }

  /// What the last step's batch says of the noise in gradients; nil where the step was not to measure it, or the batch
  /// had shards in one half of the tree alone.
  /// - Parameter batch: its examples.
  package func noise(ofBatch batch: Int) -> NoiseSample? {
    guard let halves = reduction.squaredHalves, let norm = reduction.gradientNorm else { return nil }
    let left = shards.examples(of: reduction.tree.root.right.firstLeaf, batch: batch).lowerBound
    return NoiseSample(
      left: (left, halves.left), right: (batch - left, halves.right), squaredNorm: norm * norm,
      population: sampler.drawsWithReplacement ? nil : sampler.count)
  }

  /// Who did not do in the last step what the others did; the same on all ranks. Its update is made by then.
  package var suspect: Suspect? { reduction.suspect }

  /// Shape (model.parameterCount). Written by other ranks of the server during a step.
  package var parameters: UnsafeMutableBufferPointer<Float> {
    reduction.settle()
    return UnsafeMutableBufferPointer(start: reduction.parameters, count: model.parameterCount)
  }

  /// The gradient of the last step, shape (model.parameterCount), where this rank sees all of it; until any rank begins
  /// the next step.
  /// - Parameters:
  ///   - target: gets it.
  ///   - activeShards: of the last step's batch.
  package func copyGradient(to target: UnsafeMutablePointer<Float>, activeShards: Int) -> Bool {
    reduction.copyGradient(to: target, activeShards: activeShards)
  }

  /// Returns when nothing of the last step is on its way.
  package func settle() { reduction.settle() }

  /// What the optimizer keeps beside the parameters.
  package var optimizerState: OptimizerState {
    reduction.settle()
    return reduction.state
  }

  /// All steps of an epoch. Collective.
  /// - Throws: `AgreedError` where a rank did not do what the others did, or the loss is no number; `MPIError`.
  public func train(epoch: Int) throws {
    let order = sampler.order(epoch: epoch)
    communicator.board.isPunctual = true
    defer { communicator.board.isPunctual = false }
    for step in 0..<schedule.stepsPerEpoch {
      let result = try self.step(order, StepPlan(positions: schedule.positions(step: step)))
      if let suspect = result.suspect {
        throw AgreedError(DistsgdError(.internal, suspect.words(topology: communicator.topology)))
      }
      guard result.loss.isFinite else {
        throw AgreedError(
          DistsgdError(
            .diverged, "the loss became \(result.loss) at step \(stepCount): lower the learning rate"))
      }
    }
  }

  /// A step: every shard's gradient, their sum over all ranks, the update. Collective.
  /// - Parameters:
  ///   - order: the epoch's order of the examples.
  ///   - plan: the global batch, as positions in that order, and what this rank asks of all.
  package func step(_ order: EpochOrder, _ plan: StepPlan) throws(MPIError) -> StepResult {
    let active = gradients.begin(order, positions: plan.positions)
    let compares = agree(order, plan)
    reduction.begin(activeShards: active, step: steps + 1, learningRate: rate, measured: plan.measured)
    try gradients.add(order, to: reduction, measuresHalves: plan.measured == .halves)
    try reduction.reduceAndUpdate(clock: clock)
    steps += 1
    return StepResult(
      loss: reduction.loss, requests: reduction.requests, suspect: reduction.suspect, isCompared: compares)
  }

  /// Loss and measures over a data set (the training set, if none is named) with the parameters as they are.
  /// Collective.
  /// - Throws: `AgreedError` where the data do not fit the model; `MPIError`.
  public func evaluate(on other: Dataset? = nil) throws -> Evaluation {
    try evaluate(on: other, measuring: nil)
  }

  /// - Parameters:
  ///   - task: what is told beside the loss and its own measures is told of this; the same for a data set.
  ///   - parameters: of the model, shape (n); nil: as they are.
  package func evaluate(
    on other: Dataset?, measuring task: MeasuredTask?, parameters: UnsafeMutableBufferPointer<Float>? = nil
  ) throws -> Evaluation {
    let data = other ?? dataset
    if evaluator?.dataset !== data {
      evaluator = try Evaluator(
        model: model, loss: loss, dataset: data, task: task, arithmetic: arithmetic,
        communicator: communicator)
    }
    return try evaluator!.evaluate(parameters?.baseAddress ?? self.parameters.baseAddress!)
  }

  /// Compares the clocks of the servers again where ten seconds have passed on rank 0: they drift. Collective.
  package func compareClocks() throws(MPIError) {
    guard communicator.topology.serverCount > 1 else { return }
    let now = monotonicSeconds()
    guard try communicator.broadcast(now - clocksCompared > 10 ? 1 : 0, from: 0) == 1 else { return }
    clocksCompared = now
    try reduction.compareClocks(over: communicator)
  }

  /// Says what this rank is about to do, so that one that does something else is noticed.
  /// - Returns: whether the gradients of this step are known to come from the same parameters on all ranks.
  @inline(__always)
  private func agree(_ order: EpochOrder, _ plan: StepPlan) -> Bool {
    clock.begin(step: steps + 1)
    let compares = plan.comparesParameters || (steps + 1) % checkEvery == 0
    var schedule = StepHash(settingsHash)
    schedule.add(order.epoch)
    schedule.add(plan.positions.lowerBound)
    schedule.add(plan.positions.upperBound)
    schedule.add(steps << 1 | (compares ? 1 : 0))
    schedule.add(Int(rate.bitPattern))
    reduction.propose(schedule: schedule.value, parameterHash: compares ? comparedHash : nil, plan.requests)
    return compares || !reduction.hasSeveralCopies
  }

  /// The hash of this rank's copy of the parameters; nil where it has none of its own, or there is only one.
  private var comparedHash: UInt64? {
    reduction.hasSeveralCopies && ownsComparedCopy ? parameterHash : nil
  }

  /// XXH64 of the parameters' bytes.
  public var parameterHash: UInt64 { xxh64(UnsafeRawBufferPointer(parameters)) }

  /// Compares all copies of the parameters as they are now. Collective.
  /// - Returns: the rank or server that differs.
  package func compareParameters() throws(MPIError) -> Suspect? {
    guard reduction.hasSeveralCopies else { return nil }
    let hashes = try communicator.numbers(comparedHash ?? 0)
    let topology = communicator.topology
    return topology.serverCount == 1
      ? Suspect(amongParameters: hashes) { .rank($0) }
      : Suspect(amongParameters: topology.ranksOfServer.map { hashes[$0[0]] }) { .server($0) }
  }
}

/// A hash of a few numbers (the multiplier is Knuth's MMIX).
private struct StepHash {
  var value: UInt64

  @inline(__always)
  init(_ seed: UInt64) { value = seed }

  @inline(__always)
  mutating func add(_ number: Int) {
    value = (value ^ UInt64(bitPattern: Int64(number))) &* 6_364_136_223_846_793_005
    value ^= value >> 29
  }
}
