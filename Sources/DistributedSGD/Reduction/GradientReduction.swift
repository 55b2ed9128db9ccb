// The all-reduce and the update, fused: shard gradients of all ranks are added in the tree's order, and
// each part of the parameters is updated by the one rank that has just added its gradient.
import MPI
import NeuralNet

/// Adds up what all ranks have found and updates the parameters, in an order that does not depend on how
/// many ranks there are or where they run.
///
/// The ranks of a server share one window of memory:
///
///     barrier | parameters (n) and scalars | gradient sums of local rank 0's nodes | of local rank 1's | …
///
/// A rank's *nodes* are the largest nodes of the tree whose shards it owns (mostly one). The arena of n
/// gradients is followed by two more floats, which are added by the same tree: the loss of the batch, and how
/// many ask to stop. After a barrier each rank adds up its 1/P of the arena over all nodes, a block at a time,
/// and updates that part.
///
/// Between servers the same tree goes on: each rank sends its server's sums of a remote rank's part to that
/// rank, which finishes the additions, updates, and sends the new parameters back.
public final class GradientReduction {
  /// The nodes of the tree that this rank adds up alone.
  public let nodes: [TreeNode]
  /// Shape (n + scalarCount): the parameters, and the scalars of the last batch.
  public let parameters: UnsafeMutablePointer<Float>
  public let tree: ReductionTree

  /// Floats that follow the n gradients: the loss of the batch, and the number of those who ask to stop.
  public static let scalarCount = 2

  private let parameterCount: Int
  /// Small models: every rank adds up everything itself, and keeps parameters of its own. That takes one
  /// barrier a step instead of two; two sets of gradient buffers take turns.
  private let isReplicated: Bool
  private let barrier: ServerBarrier?
  /// What this rank adds up and updates.
  private let ownRange: Range<Int>
  /// One pointer for each node of this server's ranks, in the order of `serverSources`; a row for each turn.
  private let nodeBuffers: [UnsafeMutablePointer<UnsafeMutablePointer<Float>>]
  private let ownNodeOffset: Int
  private var turn = 0
  /// For each batch size that occurs: how to add up.
  private let plans: [Plan]
  private let network: ServerExchange?
  private let stack: UnsafeMutablePointer<Float>

  /// The additions for batches with this many non-empty shards.
  private struct Plan {
    let active: Int
    let total: FoldProgram
  }

  /// Models up to this many floats are replicated: adding them up takes less than a barrier.
  static let replicationLimit = 2048

  /// Collective over all ranks.
  /// - Parameters:
  ///   - activeShards: the numbers of non-empty shards that occur (one, or two with a short last batch).
  public init(
    parameterCount: Int, shards: Shards, activeShards: [Int], communicator: any Communicator
  ) throws(MPIError) {
    let topology = communicator.topology
    let rank = communicator.rank
    let tree = ReductionTree(leafCount: shards.count)
    self.tree = tree
    self.parameterCount = parameterCount
    let length = parameterCount + Self.scalarCount
    let localRanks = topology.ranksOfServer[topology.serverOfRank[rank]]
    let rankNodes = localRanks.map { tree.nodes(covering: Set(shards.owned(by: $0))) }
    let localRank = topology.localRank(of: rank)
    nodes = rankNodes[localRank]

    let isReplicated =
      topology.serverCount == 1 && topology.worldSize > 1 && length <= Self.replicationLimit
    self.isReplicated = isReplicated
    let stride = (length + 15) / 16 * 16
    let turns = isReplicated ? 2 : 1
    let nodeCount = rankNodes.reduce(0) { $0 + $1.count }
    let arena = ServerBarrier.byteCount
    let cores = try ServerCores(over: communicator)
    let memory = try communicator.allocateShared(
      byteCount: arena + 4 * stride * (1 + turns * nodeCount))
    barrier =
      localRanks.count == 1
      ? nil
      : ServerBarrier(
        memory: memory, rankCount: localRanks.count, hasOwnCores: cores.hasCoreForEveryRank)
    let floats = (memory + arena).assumingMemoryBound(to: Float.self)
    parameters = isReplicated ? .allocate(capacity: stride) : floats
    nodeBuffers = (0..<turns).map { turn in
      let buffers = UnsafeMutablePointer<UnsafeMutablePointer<Float>>.allocate(capacity: nodeCount)
      for node in 0..<nodeCount {
        (buffers + node).initialize(to: floats + stride * (1 + turn * nodeCount + node))
      }
      return buffers
    }
    ownNodeOffset = rankNodes[..<localRank].reduce(0) { $0 + $1.count }
    stack = .allocate(capacity: FoldProgram.stackLength)
    let stack = stack
    let serverSources = rankNodes.flatMap { $0 }
    let sources: [TreeNode]
    if topology.serverCount > 1 {
      let network = try ServerExchange(
        length: length, shards: shards, tree: tree, serverSources: serverSources,
        activeShards: activeShards, parameters: parameters, communicator: communicator, stack: stack)
      self.network = network
      ownRange = network.ownRange
      sources = network.sourceNodes
    } else {
      network = nil
      ownRange =
        isReplicated
        ? 0..<length : ownedRange(of: rank, worldSize: communicator.worldSize, length: length)
      sources = serverSources
    }
    plans = activeShards.map { active in
      Plan(
        active: active,
        total: FoldProgram(target: tree.root, sources: sources, active: active, stack: stack))
    }
  }

  deinit {
    if isReplicated { parameters.deallocate() }
    for buffers in nodeBuffers { buffers.deallocate() }
    stack.deallocate()
  }

  /// The mean loss of the last batch, before its update.
  public var loss: Float { parameters[parameterCount] }

  /// How many asked to stop in the last batch; the same on all ranks.
  public var stopRequests: Float { parameters[parameterCount + 1] }

  /// Where this rank leaves the gradient sum of its node number `node` before `reduceAndUpdate`, shape
  /// (n + scalarCount): the gradient, and the scalars.
  public func gradientBuffer(_ node: Int) -> UnsafeMutablePointer<Float> {
    nodeBuffers[turn][ownNodeOffset + node]
  }

  /// Returns when the parameters this rank reads are those of the next step. Collective.
  /// - Parameter activeShards: the shards of this batch that have examples.
  public func reduceAndUpdate(
    activeShards: Int, optimizer: any Optimizer, learningRate: Float, clock: PhaseClock
  ) throws(MPIError) {
    barrier?.wait()
    clock.mark(.wait)
    let buffers = nodeBuffers[turn]
    let plan = activeShards == plans[0].active ? 0 : 1
    if let network {
      try network.collect(buffers, plan: plan, clock: clock)
      foldAndUpdate(plans[plan].total, network.sources, optimizer, learningRate, clock)
      try network.distribute(clock: clock)
    } else {
      foldAndUpdate(plans[plan].total, buffers, optimizer, learningRate, clock)
    }
    if isReplicated {
      turn = 1 - turn
    } else {
      barrier?.wait()
      clock.mark(.wait)
    }
  }

  /// Adds up and updates this rank's range, a block at a time while it is in cache. One block in eight is timed by
  /// its parts.
  private func foldAndUpdate(
    _ program: FoldProgram, _ sources: UnsafePointer<UnsafeMutablePointer<Float>>,
    _ optimizer: any Optimizer, _ learningRate: Float, _ clock: PhaseClock
  ) {
    var reduceTicks: UInt64 = 0
    var updateTicks: UInt64 = 0
    var block = 0
    var offset = ownRange.lowerBound
    while offset < ownRange.upperBound {
      let isTimed = block % 8 == 0
      let start = isTimed ? Ticks.now : 0
      let count = min(program.blockLength, ownRange.upperBound - offset)
      let sum = program.run(sources, offset: offset, count: count)
      let added = isTimed ? Ticks.now : 0
      let updated = max(0, min(count, parameterCount - offset))
      optimizer.update(
        parameters + offset, gradient: sum, offset: offset, count: updated, learningRate: learningRate)
      for i in updated..<count { parameters[offset + i] = sum[i] }
      if isTimed {
        reduceTicks &+= added &- start
        updateTicks &+= Ticks.now &- added
      }
      offset += count
      block += 1
    }
    clock.mark((.reduce, .update), inProportion: reduceTicks, updateTicks)
  }
}

/// The part of an arena of `length` floats that `rank` adds up and updates: whole cache lines.
func ownedRange(of rank: Int, worldSize: Int, length: Int) -> Range<Int> {
  let lines = part(rank, of: worldSize, count: (length + 15) / 16)
  return min(lines.lowerBound * 16, length)..<min(lines.upperBound * 16, length)
}
