// One step of synchronous data-parallel SGD: the whole of it, on one screen.
import MPI
import NeuralNet

/// Trains a model on this rank's shards of every batch, together with the other ranks.
public final class Trainer {
  /// η. May be set between steps.
  public var learningRate: Float
  /// Updates made so far.
  public private(set) var stepCount = 0
  public let clock: PhaseClock

  public let sampler: Sampler
  public let schedule: BatchSchedule
  private let shards: Shards
  private let microBatch: Int
  private let network: Network
  private let loss: Loss
  private let batch: BatchBuffer
  private let reduction: GradientReduction
  private let optimizer: any Optimizer
  /// One arena for each level of the tree below a node of this rank: the sum of a right-hand subtree.
  private let partialSums: [UnsafeMutablePointer<Float>]

  // What a step works on; set at its start, so that the recursion over the tree carries no more than nodes.
  private var order: EpochOrder
  private var positions = 0..<0
  private var scale: Float = 0

  /// Collective over all ranks.
  public init(
    model: Sequential, loss: Loss, dataset: Dataset, sampler: Sampler, schedule: BatchSchedule,
    shards: Shards, microBatch: Int?, optimizer: any Optimizer, learningRate: Float,
    communicator: any Communicator
  ) throws(MPIError) {
    self.sampler = sampler
    self.schedule = schedule
    self.shards = shards
    self.loss = loss
    self.optimizer = optimizer
    self.learningRate = learningRate
    clock = PhaseClock()
    let largestShard = part(0, of: shards.count, count: schedule.globalBatch).count
    self.microBatch = max(1, min(microBatch ?? largestShard, largestShard))
    network = Network(model, maximumRows: self.microBatch)
    batch = BatchBuffer(dataset, capacity: self.microBatch)
    reduction = try GradientReduction(
      parameterCount: model.parameterCount, shards: shards,
      activeShards: schedule.batchSizes.map(shards.active), communicator: communicator)
    let levels = reduction.nodes.map(\.level).max() ?? 0
    partialSums = (0..<levels).map { _ in .allocate(capacity: model.parameterCount + 1) }
    order = sampler.order(epoch: 0)
  }

  deinit { for sum in partialSums { sum.deallocate() } }

  public var model: Sequential { network.model }

  /// Shape (model.parameterCount). Written by other ranks of the server during a step.
  public var parameters: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: reduction.parameters, count: model.parameterCount)
  }

  /// The mean loss of the last step's batch, before its update.
  public var batchLoss: Float { reduction.loss }

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
    self.order = order
    self.positions = positions
    scale = 1 / Float(positions.count)
    let active = shards.active(batch: positions.count)
    for (number, node) in reduction.nodes.enumerated() where node.firstLeaf < active {
      sumGradients(of: node, active: active, into: reduction.gradientBuffer(number))
    }
    try reduction.reduceAndUpdate(
      activeShards: active, optimizer: optimizer, learningRate: learningRate, clock: clock)
    stepCount += 1
  }

  /// The sum of the gradients of a node's shards, in the tree's order. `sum` has shape (n + 1).
  private func sumGradients(of node: TreeNode, active: Int, into sum: UnsafeMutablePointer<Float>) {
    if node.level == 0 { return gradient(ofShard: node.index, into: sum) }
    sumGradients(of: node.left, active: active, into: sum)
    guard node.right.firstLeaf < active else { return }
    let right = partialSums[node.level - 1]
    sumGradients(of: node.right, active: active, into: right)
    addition(sum, right, into: sum, count: model.parameterCount + 1)
    clock.mark(.reduce)
  }

  /// The sum over a shard's examples of the gradient of loss / batch size, micro-batch by micro-batch,
  /// and after it the loss itself. `sum` has shape (n + 1).
  private func gradient(ofShard shard: Int, into sum: UnsafeMutablePointer<Float>) {
    let examples = shards.examples(of: shard, batch: positions.count)
    var start = positions.lowerBound + examples.lowerBound
    let end = positions.lowerBound + examples.upperBound
    var shardLoss = 0.0
    var isFirst = true
    while start < end {
      let rows = min(microBatch, end - start)
      batch.load(order, positions: start..<start + rows)
      clock.mark(.load)
      let output = network.forward(parameters: reduction.parameters, input: batch.features, rows: rows)
      shardLoss += loss.gradient(
        output: output, targets: batch.targets, rows: rows, columns: model.outputCount, scale: scale)
      clock.mark(.forward)
      network.backward(
        parameters: reduction.parameters, input: batch.features, rows: rows, into: sum, accumulate: !isFirst)
      clock.mark(.backward)
      isFirst = false
      start += rows
    }
    sum[model.parameterCount] = Float(shardLoss) * scale
  }
}
