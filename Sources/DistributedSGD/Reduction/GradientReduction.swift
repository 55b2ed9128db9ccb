// The all-reduce and the update, fused: shard gradients of all ranks are added in the tree's order, and
// each part of the parameters is updated by the one rank that has just added its gradient.
import MPI
import NeuralNet

/// Adds up what all ranks have found and updates the parameters, in an order that does not depend on how
/// many ranks there are or where they run.
///
/// The ranks of a server share one window of memory:
///
///     barrier | parameters (n), loss, words | gradient sums of local rank 0's nodes | of local rank 1's | …
///
/// A rank's *nodes* are the largest nodes of the tree whose shards it owns (mostly one). The arena of n
/// gradients is followed by one more float, which is added by the same tree, the loss of the batch; and by words
/// that are compared, not added (`AgreementWords`), in the first node's arena of each rank. After a barrier each
/// rank adds up its 1/P of the arena over all nodes, a block at a time, and updates that part.
///
/// Between servers the same tree goes on: each rank sends its server's sums of a remote rank's part to that
/// rank, which finishes the additions, updates, and sends the new parameters back.
public final class GradientReduction {
  /// The nodes of the tree that this rank adds up alone.
  public let nodes: [TreeNode]
  /// Shape (n + 1): the parameters, and the loss of the last batch.
  public let parameters: UnsafeMutablePointer<Float>
  public let tree: ReductionTree
  /// Whether there are several copies of the parameters, which could differ.
  public let hasSeveralCopies: Bool

  /// What the optimizer keeps of this rank's part.
  package let state: OptimizerState

  /// Of the parameters and of every gradient sum.
  package let layout: ArenaLayout

  private let optimizer: any Optimizer
  /// What all ranks have come to in the last step, behind the parameters.
  private let commonWords: UnsafeMutablePointer<AgreementWords>
  /// Small models: every rank adds up everything itself, and keeps parameters of its own. That takes one
  /// barrier a step instead of two; two sets of gradient buffers take turns.
  private let isReplicated: Bool
  private let barrier: ServerBarrier?
  /// What this rank adds up and updates.
  private let ownRange: Range<Int>
  /// One pointer for each node of this server's ranks, in the order of `serverSources`; a row for each turn.
  private let nodeBuffers: [UnsafeMutablePointer<UnsafeMutablePointer<Float>>]
  private let ownNodeOffset: Int
  /// The words of each of this server's ranks; a row for each turn.
  private let rankWords: [UnsafeMutableBufferPointer<UnsafeMutablePointer<AgreementWords>>]
  private let serverRanks: [Int]
  private let localRank: Int
  private var turn = 0
  /// For each batch size that occurs: how to add up.
  private let plans: [Plan]
  private let network: ServerExchange?
  private let board: RankBoard
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
  ///   - optimizer: makes the updates.
  ///   - activeShards: the numbers of non-empty shards that occur (one, or two with a short last batch).
  public init(
    parameterCount: Int, shards: Shards, activeShards: [Int], optimizer: any Optimizer,
    communicator: any Communicator
  ) throws(MPIError) {
    let topology = communicator.topology
    let rank = communicator.rank
    let tree = ReductionTree(leafCount: shards.count)
    self.tree = tree
    let layout = ArenaLayout(parameterCount: parameterCount)
    self.layout = layout
    self.optimizer = optimizer
    board = communicator.board
    let localRanks = topology.ranksOfServer[topology.serverOfRank[rank]]
    let rankNodes = localRanks.map { tree.nodes(covering: Set(shards.owned(by: $0))) }
    let localRank = topology.localRank(of: rank)
    nodes = rankNodes[localRank]
    serverRanks = localRanks
    self.localRank = localRank

    let isReplicated =
      topology.serverCount == 1 && topology.worldSize > 1 && layout.length <= Self.replicationLimit
    self.isReplicated = isReplicated
    hasSeveralCopies = isReplicated || topology.serverCount > 1
    let stride = layout.stride
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
    commonWords = layout.words(of: parameters)
    if isReplicated { commonWords.initialize(to: AgreementWords()) }
    nodeBuffers = (0..<turns).map { turn in
      let buffers = UnsafeMutablePointer<UnsafeMutablePointer<Float>>.allocate(capacity: nodeCount)
      for node in 0..<nodeCount {
        (buffers + node).initialize(to: floats + stride * (1 + turn * nodeCount + node))
      }
      return buffers
    }
    let firstNodes = localRanks.indices.map { rank in rankNodes[..<rank].reduce(0) { $0 + $1.count } }
    ownNodeOffset = firstNodes[localRank]
    rankWords = nodeBuffers.map { buffers in
      let words = UnsafeMutableBufferPointer<UnsafeMutablePointer<AgreementWords>>.allocate(
        capacity: firstNodes.count)
      _ = words.initialize(from: firstNodes.map { layout.words(of: buffers[$0]) })
      return words
    }
    stack = .allocate(capacity: FoldProgram.stackLength)
    let stack = stack
    let serverSources = rankNodes.flatMap { $0 }
    let sources: [TreeNode]
    if topology.serverCount > 1 {
      let network = try ServerExchange(
        layout: layout, shards: shards, tree: tree, serverSources: serverSources,
        activeShards: activeShards, parameters: parameters, communicator: communicator, stack: stack)
      self.network = network
      ownRange = network.ownRange
      sources = network.sourceNodes
    } else {
      network = nil
      ownRange =
        isReplicated ? 0..<layout.length : layout.ownedRange(of: rank, worldSize: communicator.worldSize)
      sources = serverSources
    }
    state = try OptimizerState(
      optimizer.states, parameterCount: parameterCount, layout: layout,
      placement: isReplicated ? .replicated : topology.serverCount > 1 ? .split : .shared,
      communicator: communicator)
    plans = activeShards.map { active in
      Plan(
        active: active,
        total: FoldProgram(target: tree.root, sources: sources, active: active, stack: stack))
    }
  }

  deinit {
    if isReplicated { parameters.deallocate() }
    for buffers in nodeBuffers { buffers.deallocate() }
    for words in rankWords { words.deallocate() }
    stack.deallocate()
  }

  /// The mean loss of the last batch, before its update.
  public var loss: Float { parameters[layout.loss] }

  /// What any rank asked in the last step; the same on all ranks.
  public var requests: Requests { commonWords.pointee.requests }

  /// Who did not agree in the last step; the same on all ranks.
  public var suspect: Suspect? { commonWords.pointee.suspect }

  /// Leaves this rank's words for the next `reduceAndUpdate`.
  /// - Parameters:
  ///   - schedule: a hash of all that the ranks must have in common in this step.
  ///   - parameterHash: of the parameters before the step, if they are compared in it.
  @inline(__always)
  public func propose(schedule: UInt64, parameterHash: UInt64?, _ requests: Requests) {
    var words = AgreementWords()
    words.schedule = schedule
    words.parameters = parameterHash ?? 0
    words.requests = requests
    rankWords[turn][localRank].pointee = words
  }

  /// Where this rank leaves the gradient sum of its node number `node` before `reduceAndUpdate`, shape
  /// (n + 1): the gradient, and the loss.
  public func gradientBuffer(_ node: Int) -> UnsafeMutablePointer<Float> {
    nodeBuffers[turn][ownNodeOffset + node]
  }

  /// Returns when the parameters this rank reads are those of the next step. Collective.
  /// - Parameters:
  ///   - activeShards: the shards of this batch that have examples.
  ///   - step: the number of this update, from 1.
  public func reduceAndUpdate(
    activeShards: Int, step: Int, learningRate: Float, clock: PhaseClock
  ) throws(MPIError) {
    meet(clock)
    let buffers = nodeBuffers[turn]
    let plan = activeShards == plans[0].active ? 0 : 1
    if let network {
      board.arrive()
      try network.collect(buffers, serverWords, plan: plan, clock: clock)
      if holdsWords { commonWords.pointee = network.commonWords() }
      foldAndUpdate(plans[plan].total, network.sources, step, learningRate, clock)
      board.arrive()
      try network.distribute(clock: clock)
    } else {
      if holdsWords { commonWords.pointee = serverWords() }
      foldAndUpdate(plans[plan].total, buffers, step, learningRate, clock)
    }
    if isReplicated {
      turn = 1 - turn
    } else {
      meet(clock)
    }
  }

  /// Waits for all ranks of this server, if there are others.
  @inline(__always)
  private func meet(_ clock: PhaseClock) {
    guard let barrier else { return }
    board.arrive()
    barrier.wait()
    clock.mark(.wait)
  }

  /// Whether this rank's part of the arena is the one with the words.
  private var holdsWords: Bool { ownRange.contains(layout.words) }

  /// The words of this server's ranks as one.
  @inline(__always)
  private func serverWords() -> AgreementWords {
    AgreementWords.combined(
      UnsafeBufferPointer(rankWords[turn]), party: { .rank(serverRanks[$0]) },
      comparesParameters: isReplicated)
  }

  /// Adds up and updates this rank's range, a block at a time while it is in cache. One block in eight is timed by
  /// its parts.
  private func foldAndUpdate(
    _ program: FoldProgram, _ sources: UnsafePointer<UnsafeMutablePointer<Float>>,
    _ step: Int, _ learningRate: Float, _ clock: PhaseClock
  ) {
    var reduceTicks: UInt64 = 0
    var updateTicks: UInt64 = 0
    var block = 0
    var offset = ownRange.lowerBound
    let end = min(ownRange.upperBound, layout.addedCount)
    while offset < end {
      let isTimed = program.hasAdditions && block % 8 == 0
      let start = isTimed ? Ticks.now : 0
      let count = min(program.blockLength, end - offset)
      let sum = program.run(sources, offset: offset, count: count)
      let added = isTimed ? Ticks.now : 0
      let updated = max(0, min(count, layout.parameterCount - offset))
      optimizer.update(
        ArenaPart(
          offset: offset, parameters: UnsafeMutableBufferPointer(start: parameters + offset, count: updated),
          gradient: UnsafeBufferPointer(start: sum, count: updated), states: state.arrays),
        step: step, learningRate: learningRate)
      for i in updated..<count { parameters[offset + i] = sum[i] }
      if isTimed {
        reduceTicks &+= added &- start
        updateTicks &+= Ticks.now &- added
      }
      offset += count
      block += 1
    }
    if program.hasAdditions {
      clock.mark((.reduce, .update), inProportion: reduceTicks, updateTicks)
    } else {
      clock.mark(.update)
    }
  }
}
