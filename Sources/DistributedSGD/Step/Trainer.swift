// One step of synchronous data-parallel SGD: the whole of it, on one screen.
import MPI
import NeuralNet
import System

/// Trains a model on this rank's shards of every batch, together with the other ranks.
public final class Trainer {
  /// η. May be set between steps.
  public var learningRate: Float {
    get { rate }
    set { rate = newValue }
  }
  /// Updates made so far.
  public package(set) var stepCount: Int {
    get { steps }
    set { steps = newValue }
  }
  public let clock: PhaseClock

  // Stored where only this module sees them: Swift guards every access to a class's public variables at run time,
  // which a step of a hundred nanoseconds would feel.
  private var rate: Float
  private var steps = 0
  /// What this rank asks of all ranks, told with the gradients of its next batch.
  package var requests: Requests = []
  /// A hash of all that the ranks must have in common beside the step itself.
  package var settingsHash: UInt64 = 0
  /// Steps from one comparison of the ranks' parameters to the next.
  package var checkEvery = 100
  /// Whether the parameters are compared in the next step, whatever its number. The same on all ranks.
  package var checksNextStep = false

  public let model: Sequential
  public let sampler: Sampler
  public let schedule: BatchSchedule
  private let gradients: ShardGradients
  private let reduction: GradientReduction
  /// Whether this rank has a copy of the parameters to be compared, or speaks for a server that has.
  private let ownsComparedCopy: Bool

  /// Collective over all ranks.
  public init(
    model: Sequential, loss: any Loss, dataset: Dataset, sampler: Sampler, schedule: BatchSchedule,
    shards: Shards, microBatch: Int?, optimizer: any Optimizer, learningRate: Float,
    communicator: any Communicator
  ) throws(MPIError) {
    self.model = model
    self.sampler = sampler
    self.schedule = schedule
    rate = learningRate
    clock = PhaseClock(place: communicator.board.place)
    ownsComparedCopy = communicator.topology.serverCount == 1 || communicator.isServerLeader
    reduction = try GradientReduction(
      parameterCount: model.parameterCount, shards: shards,
      activeShards: schedule.batchSizes.map(shards.active), optimizer: optimizer, communicator: communicator)
    gradients = ShardGradients(
      model: model, loss: loss, dataset: dataset, sampler: sampler, schedule: schedule, shards: shards,
      microBatch: microBatch, nodes: reduction.nodes, parameters: reduction.parameters, clock: clock,
      communicator: communicator)
  }

  /// Shape (model.parameterCount). Written by other ranks of the server during a step.
  public var parameters: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: reduction.parameters, count: model.parameterCount)
  }

  /// What the optimizer keeps beside the parameters.
  package var optimizerState: OptimizerState { reduction.state }

  /// The mean loss of the last step's batch, before its update.
  public var batchLoss: Float { reduction.loss }

  /// What ranks asked before the last step; the same on all ranks.
  public var receivedRequests: Requests { reduction.requests }

  /// Who did not do in the last step what the others did; the same on all ranks. Its update is made by then.
  public var suspect: Suspect? { reduction.suspect }

  /// Whether the last step's gradients are known to come from the same parameters on all ranks.
  package private(set) var comparedLastStep = true

  /// The hash of this rank's copy of the parameters; nil where it has none of its own, or there is only one.
  var comparedHash: UInt64? {
    reduction.hasSeveralCopies && ownsComparedCopy ? parameterHash : nil
  }

  /// All steps of an epoch. Collective.
  public func train(epoch: Int) throws(MPIError) {
    let order = sampler.order(epoch: epoch)
    for step in 0..<schedule.stepsPerEpoch { try self.step(order, positions: schedule.positions(step: step)) }
  }

  /// A step: every shard's gradient, their sum over all ranks, the update. Collective.
  /// - Parameters:
  ///   - order: the epoch's order of the examples.
  ///   - positions: the global batch, as positions in that order.
  public func step(_ order: EpochOrder, positions: Range<Int>) throws(MPIError) {
    let active = gradients.begin(order, positions: positions)
    agree(order, positions)
    try gradients.add(to: reduction)
    try reduction.reduceAndUpdate(
      activeShards: active, step: stepCount + 1, learningRate: learningRate, clock: clock)
    stepCount += 1
  }

  /// Says what this rank is about to do, so that one that does something else is noticed.
  @inline(__always)
  private func agree(_ order: EpochOrder, _ positions: Range<Int>) {
    clock.step = stepCount + 1
    let compares = checksNextStep || (stepCount + 1) % checkEvery == 0
    comparedLastStep = compares || !reduction.hasSeveralCopies
    checksNextStep = false
    var schedule = StepHash(settingsHash)
    schedule.add(order.epoch)
    schedule.add(positions.lowerBound)
    schedule.add(positions.upperBound)
    schedule.add(stepCount << 1 | (compares ? 1 : 0))
    schedule.add(Int(learningRate.bitPattern))
    reduction.propose(schedule: schedule.value, parameterHash: compares ? comparedHash : nil, requests)
  }

  /// XXH64 of the parameters' bytes.
  public var parameterHash: UInt64 { xxh64(UnsafeRawBufferPointer(parameters)) }

  /// Compares all copies of the parameters as they are now. Collective.
  /// - Returns: the rank or server that differs.
  public func compareParameters(over communicator: any Communicator) throws(MPIError) -> Suspect? {
    guard reduction.hasSeveralCopies else { return nil }
    let hashes = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: communicator.worldSize)
    defer { hashes.deallocate() }
    hashes.initialize(repeating: 0)
    hashes[communicator.rank] = comparedHash ?? 0
    // Every element has one rank's number and zeros.
    try communicator.allReduce(hashes, .maximum)
    let topology = communicator.topology
    return topology.serverCount == 1
      ? Suspect(amongParameters: Array(hashes)) { .rank($0) }
      : Suspect(amongParameters: topology.ranksOfServer.map { hashes[$0[0]] }) { .server($0) }
  }
}

/// A hash of a few numbers, in about as many nanoseconds (the multiplier is Knuth's MMIX).
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
