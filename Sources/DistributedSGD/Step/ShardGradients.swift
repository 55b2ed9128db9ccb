// What a rank computes alone: the gradients of its shards of a batch, added up in the tree's order.
import MPI
import NeuralNet

/// Forward and backward passes over a rank's shards of one batch.
final class ShardGradients {
  private let layout: ArenaLayout
  private let addition: TreeAddition
  private let loss: any Loss
  private let outputCount: Int
  private let needsOrder: Bool
  /// Whether a shard's bits are the same with any micro-batch: its chains over rows go on from one to the next.
  private let goesOn: Bool
  private let shards: Shards
  private let clock: PhaseClock
  /// Examples of a pass, when a shard takes more than one.
  private let microBatch: Int
  /// The level of the tree up to which a node's shards run in one pass.
  private let passLevel: Int
  private let network: Network
  private let batch: BatchBuffer
  /// nil where examples are trained on as they are.
  private let treated: TreatedBatch?
  /// nil where all examples count the same.
  private let weights: BatchWeights?
  /// Of a model with layers that look at the global batch: all of this rank's shards run in one pass.
  private let globalSum: ShardSum?
  /// One arena for each level of the tree between a pass and a node of this rank: the sum of a right-hand subtree.
  private let partialSums: [UnsafeMutablePointer<Float>]
  /// Of the tree's right half, where this rank adds up all of the tree and may have to measure its halves; written when
  /// it first does.
  private let rightHalf: UnsafeMutablePointer<Float>?
  /// Shape (shards of a pass + 1): where each shard's rows start in a pass, and where the last ends.
  private let pieces: UnsafeMutablePointer<Int>
  /// Whose rows `pieces` has, of a batch of which size; empty where they are of one shard's micro-batch.
  private var shardsOfPieces = 0..<0
  private var batchOfPieces = 0
  /// Shape (shards of a pass): the loss of each.
  private let losses: UnsafeMutablePointer<Float>

  /// Which shards of which node run in a pass over all of this rank's, for each size of a batch.
  private let shares: [RankShare]
  /// Who is told how far the passes are; nil where nobody has to know.
  private let progress: PassProgress?
  /// Where their gradients go; as long as there are nodes.
  private var groups: [(pieces: Int, arena: UnsafeMutablePointer<Float>)] = []

  // One batch's; set at its start, so that the recursion over the tree carries no more than nodes and the epoch's order,
  // which is given and not kept: keeping it would count references.
  private var positions = 0..<0
  private var active = 0
  private var scale: Float = 0
  private var parameters: UnsafePointer<Float>

  /// - Parameters:
  ///   - addition: of sums of the tree.
  ///   - nodes: what this rank adds up alone.
  ///   - parameters: shape (n), read in every batch.
  init(
    model: Sequential, loss: any Loss, dataset: Dataset, sampler: Sampler, schedule: BatchSchedule,
    shards: Shards, microBatch: Int?, treatment: Treatment, arithmetic: Arithmetic, addition: TreeAddition,
    nodes: [TreeNode],
    parameters: UnsafePointer<Float>, progress: PassProgress? = nil,
    clock: PhaseClock, communicator: any Communicator
  ) {
    self.progress = progress
    progress?.clock = clock
    layout = ArenaLayout(parameterCount: model.parameterCount)
    self.addition = addition
    self.loss = loss.computed(by: arithmetic)
    outputCount = model.outputCount
    needsOrder = model.needsOrder || treatment.needsOrder
    goesOn = arithmetic != .blas
    self.shards = shards
    self.clock = clock
    self.parameters = parameters
    let largestShard = shards.examples(of: 0, batch: schedule.globalBatch).count
    self.microBatch = shards.rowsOfPass(batch: schedule.globalBatch, microBatch: model.microBatch(microBatch))
    let passes =
      model.needsGlobalBatch
      ? ShardPasses(wholeShareOf: nodes, shards: shards, batchSizes: schedule.batchSizes)
      : self.microBatch < largestShard
        ? ShardPasses(
          microBatch: self.microBatch, shards: shards, batchSizes: schedule.batchSizes, nodes: nodes)
        : ShardPasses(model, shards: shards, batchSizes: schedule.batchSizes, nodes: nodes)
    passLevel = passes.level
    let maximumPieces = model.needsGlobalBatch ? max(1, passes.maximumPieces) : 1 << passLevel
    network = Network(
      model, maximumRows: model.needsGlobalBatch ? passes.maximumRows : self.microBatch * maximumPieces,
      passes: passes.bounds, waitingPasses: progress == nil ? [] : passes.bounds.union(passes.single),
      seed: sampler.seed, arithmetic: arithmetic, format: addition.format)
    globalSum = model.needsGlobalBatch ? ShardSum(over: communicator, clock: clock) : nil
    shares =
      model.needsGlobalBatch
      ? schedule.batchSizes.map { RankShare(of: nodes, active: shards.active(batch: $0)) } : []
    batch = BatchBuffer(dataset, capacity: network.maximumRows)
    treated = TreatedBatch(treatment, of: batch, loss: self.loss, seed: sampler.seed)
    weights = BatchWeights(dataset, treatment, seed: sampler.seed)
    pieces = .allocate(capacity: maximumPieces + 1)
    pieces.initialize(repeating: 0, count: maximumPieces + 1)
    losses = .allocate(capacity: maximumPieces)
    let highest = max(passLevel, nodes.map(\.level).max() ?? 0)
    let length = layout.addedCount
    partialSums = (passLevel..<highest).map { _ in .allocate(capacity: length) }
    let ownsTree = nodes.count == 1 && nodes[0].leaves.count >= shards.count && nodes[0].level > 0
    rightHalf = ownsTree && !model.needsGlobalBatch ? .allocate(capacity: length) : nil
  }

  deinit {
    for sum in partialSums { sum.deallocate() }
    rightHalf?.deallocate()
    pieces.deallocate()
    losses.deallocate()
  }

  /// Turns to a batch: `positions` of an epoch's order. Returns how many of its shards have examples.
  func begin(_ order: EpochOrder, positions: Range<Int>) -> Int {
    self.positions = positions
    scale = weights?.scale(order, positions: positions) ?? 1 / Float(positions.count)
    active = shards.active(batch: positions.count)
    return active
  }

  /// For every node of a reduction, the sum over its shards of the gradient of loss / batch size, and behind it of the
  /// loss itself.
  /// - Parameters:
  ///   - order: as in `begin`.
  ///   - measuresHalves: whether the reduction is to know the norms of the tree's halves.
  @inline(__always)
  func add(_ order: EpochOrder, to reduction: GradientReduction, measuresHalves: Bool) throws(MPIError) {
    if let globalSum { return try addShare(order, to: reduction, globalSum) }
    if measuresHalves, let rightHalf { return addHalves(order, to: reduction, rightHalf) }
    let last = reduction.nodes.lastIndex { $0.firstLeaf < active }
    for (number, node) in reduction.nodes.enumerated() where node.firstLeaf < active {
      add(order, node, into: reduction.gradientBuffer(number), isLast: number == last)
    }
  }

  /// The whole tree, its halves one after the other.
  private func addHalves(
    _ order: EpochOrder, to reduction: GradientReduction, _ rightHalf: UnsafeMutablePointer<Float>
  ) {
    let root = reduction.nodes[0]
    let sum = reduction.gradientBuffer(0)
    add(order, root.left, into: sum)
    guard root.right.firstLeaf < active else { return }
    add(order, root.right, into: rightHalf)
    reduction.measureHalves(sum, rightHalf)
    addition.add(sum, rightHalf, offset: 0, count: layout.addedCount)
    clock.mark(.reduce)
  }

  /// - Parameter isLast: whether no other node of this rank comes after it in the step.
  private func add(
    _ order: EpochOrder, _ node: TreeNode, into sum: UnsafeMutablePointer<Float>, isLast: Bool = false
  ) {
    let leaves = node.leaves.clamped(to: 0..<active)
    if leaves.count == 1 || node.level <= passLevel {
      return addPass(order, leaves, into: sum, isLast: isLast)
    }
    let hasRight = node.right.firstLeaf < active
    add(order, node.left, into: sum, isLast: isLast && !hasRight)
    guard hasRight else { return }
    let right = partialSums[node.level - 1 - passLevel]
    if isLast, let progress {
      // The last pass has each layer's gradients added up as soon as they are there.
      progress.add(right, to: sum)
      add(order, node.right, into: right, isLast: true)
      sum[layout.loss] += right[layout.loss]
      return
    }
    add(order, node.right, into: right)
    addition.add(sum, right, offset: 0, count: layout.addedCount)
    clock.mark(.reduce)
  }

  /// Some neighbouring shards at once, or one of them micro-batch by micro-batch.
  private func addPass(
    _ order: EpochOrder, _ neighbours: Range<Int>, into sum: UnsafeMutablePointer<Float>, isLast: Bool
  ) {
    let isAlone = neighbours.count == 1
    let isTold = isLast && progress != nil
    if isAlone, isTold { progress?.round(leaf: sum) }
    let first = shards.examples(of: neighbours.lowerBound, batch: positions.count)
    var start = positions.lowerBound + first.lowerBound
    let end = positions.lowerBound + first.upperBound
    // A whole epoch is read in the file's order, and so are its parts where they must add up to the same.
    let isFileOrder =
      goesOn && isAlone && !needsOrder && order.consecutiveExamples(at: start..<end, inOrder: false) != nil
    var shardLoss = 0.0
    var isFirst = true
    repeat {
      if isAlone {
        pieces[1] = min(microBatch, end - start)
        shardsOfPieces = 0..<0
      } else {
        setPieces(neighbours, first: first.lowerBound)
      }
      let rows = pieces[neighbours.count]
      let pass = Pass(
        pieces: UnsafeBufferPointer(start: pieces, count: neighbours.count + 1),
        mode: .training(epoch: order.epoch, position: start), parameters: parameters,
        batchRows: positions.count, observer: progress, isLast: isLast && (!isAlone || start + rows == end))
      if isFileOrder {
        batch.load(examples: start..<start + rows)
      } else {
        batch.load(
          order, positions: start..<start + rows, keepsOrder: !isAlone || needsOrder)
      }
      let features = inputs(order, start..<start + rows)
      clock.mark(.load)
      let output = network.forward(features, pass)
      if isAlone {
        shardLoss += rowLosses(output, rows: rows)
      } else {
        addLosses(output, pass.pieces)
      }
      clock.mark(.forward)
      network.backward(features, pass, into: sum, accumulate: !isFirst)
      clock.mark(.backward)
      isFirst = false
      start += rows
    } while isAlone && start < end
    if isAlone {
      if !isTold { addition.roundLeaf(sum, offset: 0, count: layout.parameterCount) }
      sum[layout.loss] = Float(shardLoss) * scale
    } else {
      sum[layout.loss] = pairwiseSum(losses, count: neighbours.count)
    }
  }

  /// All of this rank's shards in one pass, in which its layers wait for sums over the global batch.
  private func addShare(
    _ order: EpochOrder, to reduction: GradientReduction, _ globalSum: ShardSum
  ) throws(MPIError) {
    let share =
      shares.first { $0.active == active } ?? RankShare(of: reduction.nodes, active: active)
    let firstShard = share.parts.first?.leaves.lowerBound ?? 0
    let first = shards.examples(of: firstShard, batch: positions.count).lowerBound
    var count = 0
    groups.removeAll(keepingCapacity: true)
    for (node, leaves) in share.parts {
      setPieces(leaves, from: count, first: first)
      groups.append((leaves.count, reduction.gradientBuffer(node)))
      count += leaves.count
    }
    let start = positions.lowerBound + first
    globalSum.begin(firstShard: firstShard, active: active)
    let pass = Pass(
      pieces: UnsafeBufferPointer(start: pieces, count: count + 1),
      mode: .training(epoch: order.epoch, position: start), parameters: parameters,
      batchRows: positions.count, globalSum: globalSum)
    let own = start..<start + (count == 0 ? 0 : pieces[count])
    batch.load(order, positions: own, keepsOrder: true)
    let features = inputs(order, own)
    clock.mark(.load)
    let output = network.forward(features, pass)
    addLosses(output, pass.pieces)
    clock.mark(.forward)
    globalSum.phase = .backward
    network.backward(features, pass, into: groups)
    var piece = 0
    for group in groups {
      if group.pieces == 1 { addition.roundLeaf(group.arena, offset: 0, count: layout.parameterCount) }
      group.arena[layout.loss] = pairwiseSum(losses + piece, count: group.pieces)
      piece += group.pieces
    }
    clock.mark(.backward)
    try globalSum.end()
  }

  /// Of what was loaded, treated where that is asked for.
  @inline(__always)
  private func inputs(_ order: EpochOrder, _ rows: Range<Int>) -> UnsafePointer<Float> {
    treated == nil ? batch.features : treat(order, rows)
  }

  @inline(never)
  private func treat(_ order: EpochOrder, _ rows: Range<Int>) -> UnsafePointer<Float> {
    guard let treated else { return batch.features }
    treated.prepare(batch, order, positions: rows, of: positions)
    return treated.features
  }

  /// The sum of the losses of a pass of one piece; the output becomes their gradient.
  @inline(__always)
  private func rowLosses(_ output: UnsafeMutablePointer<Float>, rows: Int) -> Double {
    if let treated { return treated.gradient(output, rows: 0..<rows, columns: outputCount, scale: scale) }
    if let weights = batch.weights {
      return loss.gradient(
        output, batch.targets, weights: weights, rows: 0..<rows, columns: outputCount, scale: scale)
    }
    return loss.gradient(output, batch.targets, rows: rows, columns: outputCount, scale: scale)
  }

  /// The losses of some pieces, each by itself.
  @inline(__always)
  private func addLosses(_ output: UnsafeMutablePointer<Float>, _ pieces: UnsafeBufferPointer<Int>) {
    if let treated {
      treated.gradient(output, pieces: pieces, columns: outputCount, scale: scale, into: losses)
    } else if let weights = batch.weights {
      loss.gradient(
        output, batch.targets, weights: weights, pieces: pieces, columns: outputCount, scale: scale,
        into: losses)
    } else {
      loss.gradient(
        output, batch.targets, pieces: pieces, columns: outputCount, scale: scale, into: losses)
    }
  }

  /// Where the rows of neighbouring shards end; mostly the same as in the step before.
  /// - Parameter first: of the batch's examples, the one in the pass's first row.
  @inline(__always)
  private func setPieces(_ neighbours: Range<Int>, first: Int) {
    guard neighbours != shardsOfPieces || positions.count != batchOfPieces else { return }
    setPieces(neighbours, from: 0, first: first)
    (shardsOfPieces, batchOfPieces) = (neighbours, positions.count)
  }

  /// - Parameter from: the piece of the first shard.
  private func setPieces(_ neighbours: Range<Int>, from: Int, first: Int) {
    for (index, shard) in neighbours.enumerated() {
      pieces[from + index + 1] = shards.examples(of: shard, batch: positions.count).upperBound - first
    }
  }
}
