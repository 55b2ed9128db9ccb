// What a rank computes alone: the gradients of its shards of a batch, added up in the tree's order.
import CKernels
import MPI
import NeuralNet

/// Forward and backward passes over a rank's shards of one batch.
final class ShardGradients {
  private let model: Sequential
  private let loss: Loss
  private let shards: Shards
  private let clock: PhaseClock
  /// Examples of a pass, when a shard takes more than one.
  private let microBatch: Int
  /// The level of the tree up to which a node's shards run in one pass.
  private let passLevel: Int
  private let network: Network
  private let batch: BatchBuffer
  /// One arena for each level of the tree between a pass and a node of this rank: the sum of a right-hand subtree.
  private let partialSums: [UnsafeMutablePointer<Float>]
  /// Shape (shards of a pass + 1): where each shard's rows start in a pass, and where the last ends.
  private let pieces: UnsafeMutablePointer<Int>
  /// Shape (shards of a pass): the loss of each.
  private let losses: UnsafeMutablePointer<Float>

  // One batch's; set at its start, so that the recursion over the tree carries no more than nodes.
  private var order: EpochOrder
  private var positions = 0..<0
  private var active = 0
  private var scale: Float = 0
  private var parameters: UnsafePointer<Float>

  /// - Parameters:
  ///   - nodes: what this rank adds up alone.
  ///   - parameters: shape (n), read in every batch.
  init(
    model: Sequential, loss: Loss, dataset: Dataset, order: EpochOrder, schedule: BatchSchedule,
    shards: Shards,
    microBatch: Int?, nodes: [TreeNode], parameters: UnsafePointer<Float>, clock: PhaseClock
  ) {
    self.model = model
    self.loss = loss
    self.shards = shards
    self.clock = clock
    self.order = order
    self.parameters = parameters
    let largestShard = shards.examples(of: 0, batch: schedule.globalBatch).count
    self.microBatch = max(1, min(microBatch ?? largestShard, largestShard))
    let passes =
      self.microBatch < largestShard
      ? .none : ShardPasses(shards: shards, batchSizes: schedule.batchSizes, nodes: nodes)
    passLevel = passes.level
    let maximumPieces = 1 << passLevel
    network = Network(model, maximumRows: self.microBatch * maximumPieces, passes: passes.bounds)
    batch = BatchBuffer(dataset, capacity: network.maximumRows)
    pieces = .allocate(capacity: maximumPieces + 1)
    losses = .allocate(capacity: maximumPieces)
    let highest = max(passLevel, nodes.map(\.level).max() ?? 0)
    partialSums = (passLevel..<highest).map { _ in .allocate(capacity: model.parameterCount + 1) }
  }

  deinit {
    for sum in partialSums { sum.deallocate() }
    pieces.deallocate()
    losses.deallocate()
  }

  /// Turns to a batch: `positions` of an epoch's order. Returns how many of its shards have examples.
  func begin(_ order: EpochOrder, positions: Range<Int>) -> Int {
    self.order = order
    self.positions = positions
    scale = 1 / Float(positions.count)
    active = shards.active(batch: positions.count)
    return active
  }

  /// The sum over a node's shards of the gradient of loss / batch size, and behind it of the loss itself.
  /// `sum` has shape (n + 1).
  func add(_ node: TreeNode, into sum: UnsafeMutablePointer<Float>) {
    let leaves = node.leaves.clamped(to: 0..<active)
    if leaves.count == 1 { return addInMicroBatches(leaves.lowerBound, into: sum) }
    if node.level <= passLevel { return addInOnePass(leaves, into: sum) }
    add(node.left, into: sum)
    guard node.right.firstLeaf < active else { return }
    let right = partialSums[node.level - 1 - passLevel]
    add(node.right, into: right)
    ckernels_add(sum, right, model.parameterCount + 1)
    clock.mark(.reduce)
  }

  /// One shard, micro-batch by micro-batch.
  private func addInMicroBatches(_ shard: Int, into sum: UnsafeMutablePointer<Float>) {
    let examples = shards.examples(of: shard, batch: positions.count)
    var start = positions.lowerBound + examples.lowerBound
    let end = positions.lowerBound + examples.upperBound
    var shardLoss = 0.0
    var isFirst = true
    while start < end {
      let rows = min(microBatch, end - start)
      batch.load(order, positions: start..<start + rows)
      clock.mark(.load)
      let output = network.forward(parameters: parameters, input: batch.features, rows: rows)
      shardLoss += loss.gradient(
        output: output, targets: batch.targets, rows: rows, columns: model.outputCount, scale: scale)
      clock.mark(.forward)
      network.backward(
        parameters: parameters, input: batch.features, rows: rows, into: sum, accumulate: !isFirst)
      clock.mark(.backward)
      isFirst = false
      start += rows
    }
    sum[model.parameterCount] = Float(shardLoss) * scale
  }

  /// Some neighbouring shards, all at once.
  private func addInOnePass(_ neighbours: Range<Int>, into sum: UnsafeMutablePointer<Float>) {
    let first = shards.examples(of: neighbours.lowerBound, batch: positions.count).lowerBound
    pieces[0] = 0
    for piece in 0..<neighbours.count {
      let shard = neighbours.lowerBound + piece
      pieces[piece + 1] = shards.examples(of: shard, batch: positions.count).upperBound - first
    }
    let start = positions.lowerBound + first
    let bounds = UnsafeBufferPointer(start: pieces, count: neighbours.count + 1)
    batch.load(order, positions: start..<start + pieces[neighbours.count], keepsOrder: true)
    clock.mark(.load)
    let output = network.forward(parameters: parameters, input: batch.features, pieces: bounds)
    for piece in 0..<neighbours.count {
      let row = pieces[piece]
      let pieceLoss = loss.gradient(
        output: output + row * model.outputCount, targets: batch.targets.dropFirst(row),
        rows: pieces[piece + 1] - row, columns: model.outputCount, scale: scale)
      losses[piece] = Float(pieceLoss) * scale
    }
    clock.mark(.forward)
    network.backward(parameters: parameters, input: batch.features, pieces: bounds, into: sum)
    sum[model.parameterCount] = pairwiseSum(losses, count: neighbours.count)
    clock.mark(.backward)
  }
}

/// The sum in the order of the balanced binary tree; overwrites `terms`.
private func pairwiseSum(_ terms: UnsafeMutablePointer<Float>, count: Int) -> Float {
  var width = 1
  while width < count {
    for i in stride(from: 0, to: count - width, by: 2 * width) { terms[i] += terms[i + width] }
    width *= 2
  }
  return terms[0]
}
