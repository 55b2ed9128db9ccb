// One step of synchronous data-parallel SGD: the whole of it, on one screen.
import MPI
import NeuralNet

/// Trains a model on this rank's shards of every batch, together with the other ranks.
public final class Trainer {
  /// η. May be set between steps.
  public var learningRate: Float
  /// Updates made so far.
  public internal(set) var stepCount = 0
  /// Whether this rank asks all ranks to stop; told with the gradients of its next batch.
  public var asksToStop = false
  public let clock: PhaseClock

  public let model: Sequential
  public let sampler: Sampler
  public let schedule: BatchSchedule
  private let gradients: ShardGradients
  private let reduction: GradientReduction
  private let optimizer: any Optimizer

  /// Collective over all ranks.
  public init(
    model: Sequential, loss: Loss, dataset: Dataset, sampler: Sampler, schedule: BatchSchedule,
    shards: Shards, microBatch: Int?, optimizer: any Optimizer, learningRate: Float,
    communicator: any Communicator
  ) throws(MPIError) {
    self.model = model
    self.sampler = sampler
    self.schedule = schedule
    self.optimizer = optimizer
    self.learningRate = learningRate
    clock = PhaseClock()
    reduction = try GradientReduction(
      parameterCount: model.parameterCount, shards: shards,
      activeShards: schedule.batchSizes.map(shards.active), communicator: communicator)
    gradients = ShardGradients(
      model: model, loss: loss, dataset: dataset, order: sampler.order(epoch: 0), schedule: schedule,
      shards: shards, microBatch: microBatch, nodes: reduction.nodes, parameters: reduction.parameters,
      clock: clock)
  }

  /// Shape (model.parameterCount). Written by other ranks of the server during a step.
  public var parameters: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: reduction.parameters, count: model.parameterCount)
  }

  /// The mean loss of the last step's batch, before its update.
  public var batchLoss: Float { reduction.loss }

  /// Whether a rank asked to stop before the last step; the same on all ranks.
  public var isAskedToStop: Bool { reduction.stopRequests > 0 }

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
    for (number, node) in reduction.nodes.enumerated() where node.firstLeaf < active {
      let sum = reduction.gradientBuffer(number)
      gradients.add(node, into: sum)
      sum[model.parameterCount + 1] = asksToStop ? 1 : 0
    }
    try reduction.reduceAndUpdate(
      activeShards: active, optimizer: optimizer, learningRate: learningRate, clock: clock)
    stepCount += 1
  }
}
