// The all-reduce and the update, fused: shard gradients of all ranks are added in the tree's order, and
// each part of the parameters is updated by the one rank that has just added its gradient.
import MPI
import NeuralNet
import System

/// Adds up what all ranks have found and updates the parameters, in an order that does not depend on how
/// many ranks there are or where they run.
///
/// `ReductionPlan` says who does what, and where it lies. The arena of n gradients is followed by one more float,
/// which is added by the same tree, the loss of the batch; and by words that are compared, not added
/// (`AgreementWords`), in the first node's arena of each rank. After a barrier each rank adds up its 1/P of the arena
/// over all nodes of its server, a block at a time, and updates that part.
///
/// Between servers the same tree goes on (`NetworkReduction.swift`).
package final class GradientReduction {
  /// The nodes of the tree that this rank adds up alone.
  package let nodes: [TreeNode]
  /// Shape (n + 1): the parameters, and the loss of the last batch. Between servers they may be on their way until
  /// `settle`.
  package let parameters: UnsafeMutablePointer<Float>
  package let tree: ReductionTree
  /// Whether there are several copies of the parameters, which could differ.
  package let hasSeveralCopies: Bool

  /// Of the parameters and of every gradient sum.
  package let layout: ArenaLayout

  /// How sums of the tree are added.
  let addition: TreeAddition
  let update: ArenaUpdate
  /// Sums of squares, for norms.
  let norms: ArenaNorms
  /// What all ranks have come to in the last step, behind the parameters.
  let commonWords: UnsafeMutablePointer<AgreementWords>
  /// Whether this rank adds up everything itself, into parameters of its own (`ReductionPlan.Placement`).
  let isReplicated: Bool
  private let barrier: ServerBarrier?
  /// What this rank adds up and updates.
  let ownParts: [OwnPart]
  /// The first: the only one where there is one server, empty where this rank has none.
  let firstPart: OwnPart
  /// Where a replicated arena's gradient waits for its norm; shape (n).
  let ownGradient: UnsafeMutablePointer<Float>?
  /// One pointer for each node of this server's ranks, in the order of `windowNodes`; a row for each turn.
  private let nodeBuffers: [UnsafeMutablePointer<UnsafeMutablePointer<Float>>]
  private let ownNodeOffset: Int
  /// The words of each of this server's ranks; a row for each turn.
  private let rankWords: [UnsafeMutableBufferPointer<UnsafeMutablePointer<AgreementWords>>]
  let serverRanks: [Int]
  private let localRank: Int
  private var turn = 0
  private var isNormMeasured = false
  var areHalvesMeasured = false
  /// Whether this rank has added up both halves of this batch, and measured them.
  var hasMeasuredHalves = false
  /// For each batch size that occurs, the non-empty shards.
  private let activeShards: [Int]
  /// What is to be done in this step.
  var work = StepWork()
  /// What goes on between servers; nil where there is one.
  private(set) var network: NetworkReduction?
  let board: RankBoard
  private let stack: UnsafeMutablePointer<Float>

  /// Collective over all ranks.
  /// - Parameters:
  ///   - tensors: of the arena; none: all of it is learned, and decays.
  ///   - rule: of the updates.
  ///   - activeShards: the numbers of non-empty shards that occur (one, or two with a short last batch).
  ///   - format: of all sums, and of what a step changes.
  ///   - travel: between servers.
  ///   - overlaps: whether buckets may travel while passes compute, which then tell how far they are (`passes`), and
  ///     whether parameters may still be on their way after a step (`settle`).
  package init(
    parameterCount: Int, tensors: [ParameterTensor] = [], shards: Shards, activeShards: [Int],
    rule: UpdateRule, format: GradientFormat = .fp32, travel: Travel = Travel(), overlaps: Bool = false,
    communicator: any Communicator
  ) throws(MPIError) {
    var travel = travel
    travel.format = format
    let plan = ReductionPlan(
      topology: communicator.topology, rank: communicator.rank, shards: shards,
      layout: ArenaLayout(parameterCount: parameterCount), activeShards: activeShards, travel: travel)
    nodes = plan.nodes
    tree = plan.tree
    layout = plan.layout
    serverRanks = plan.serverRanks
    localRank = plan.localRank
    isReplicated = plan.placement == .replicated
    hasSeveralCopies = plan.hasSeveralCopies
    board = communicator.board
    self.activeShards = plan.activeShards

    let cores = try ServerCores(over: communicator)
    let normPlan = NormPlan(tensors: tensors, parameterCount: parameterCount)
    let columns = ArenaNorms.columns(of: rule.optimizer)
    let windowBytes = 4 * plan.windowLength
    let memory = try communicator.allocateShared(
      byteCount: ServerBarrier.byteCount + windowBytes + 8 * columns * normPlan.pieces.count)
    barrier =
      serverRanks.count == 1
      ? nil
      : ServerBarrier(
        memory: memory, localRank: localRank, rankCount: serverRanks.count,
        hasOwnCores: cores.hasCoreForEveryRank)
    let window = (memory + ServerBarrier.byteCount).assumingMemoryBound(to: Float.self)
    parameters = isReplicated ? .allocate(capacity: layout.stride) : window
    commonWords = layout.words(of: parameters)
    if isReplicated { commonWords.initialize(to: AgreementWords()) }
    nodeBuffers = (0..<plan.turns).map { window.pointers(at: plan.windowOffsets(turn: $0)) }
    ownNodeOffset = plan.firstNodes[localRank]
    rankWords = nodeBuffers.map { plan.layout.words(of: $0, at: plan.firstNodes) }
    norms = ArenaNorms(
      normPlan, ranges: plan.ownRanges, columns: columns,
      shared: plan.placement == .shared ? memory + ServerBarrier.byteCount + windowBytes : nil,
      communicator: communicator)
    ownGradient = isReplicated ? .allocate(capacity: parameterCount) : nil
    let stack = UnsafeMutablePointer<Float>.allocate(capacity: FoldProgram.stackLength)
    self.stack = stack
    let addition = TreeAddition(format, layout)
    self.addition = addition
    let steps =
      format.isHalf
      ? ParameterSteps(format, length: layout.length, travel: plan.placement == .split) : nil
    update = ArenaUpdate(
      rule, try OptimizerState(rule.optimizer.states, plan: plan, communicator: communicator),
      tensors: tensors, layout: layout, parameters: parameters, steps: steps)
    guard plan.placement == .split, let mpi = communicator as? MPICommunicator else {
      ownParts = plan.ownRanges.map { range in
        OwnPart(
          range: range, firstPiece: normPlan.pieces(in: range).lowerBound, sources: nil,
          programs: plan.activeShards.map {
            FoldProgram(
              target: plan.tree.root, sources: plan.windowNodes, active: $0, addition, stack: stack)
          }, words: nil)
      }
      firstPart = ownParts[0]
      return
    }
    let exchange = try ServerExchange(
      plan, nodeBuffers: nodeBuffers[0], parameters: parameters, steps: steps,
      mayBeEarly: overlaps && plan.buckets.count > 1 && !update.isStaged && steps == nil, norms: normPlan,
      communicator: mpi, addition, stack: stack)
    ownParts = exchange.buckets.flatMap(\.parts)
    firstPart =
      ownParts.first ?? OwnPart(range: 0..<0, firstPiece: 0, sources: nil, programs: [], words: nil)
    network = try NetworkReduction(
      exchange, plan, of: self, overlaps: overlaps, hasOwnCores: cores.hasCoreForEveryRank,
      communicator: communicator)
    try compareClocks(over: communicator)
  }

  deinit {
    network?.end()
    if isReplicated { parameters.deallocate() }
    ownGradient?.deallocate()
    for buffers in nodeBuffers { buffers.deallocate() }
    for words in rankWords { words.deallocate() }
    stack.deallocate()
  }

  /// What the optimizer keeps of this rank's part.
  package var state: OptimizerState { update.state }

  /// The mean loss of the last batch, before its update.
  package var loss: Float { parameters[layout.loss] }

  /// The norm of the gradient of the last batch, before it was clipped; nil where `reduceAndUpdate` was not to measure it.
  package var gradientNorm: Double? { isNormMeasured ? norms.norm(.gradient) : nil }

  /// What any rank asked in the last step; the same on all ranks.
  package var requests: Requests { commonWords.pointee.requests }

  /// Who did not agree in the last step; the same on all ranks.
  package var suspect: Suspect? { commonWords.pointee.suspect }

  /// Who is told how far a step's passes are; nil where nobody has to know.
  package var passes: PassProgress? { network?.passes }

  /// Leaves this rank's words for the next `reduceAndUpdate`.
  /// - Parameters:
  ///   - schedule: a hash of all that the ranks must have in common in this step.
  ///   - parameterHash: of the parameters before the step, if they are compared in it.
  @inline(__always)
  package func propose(schedule: UInt64, parameterHash: UInt64?, _ requests: Requests) {
    var words = AgreementWords()
    words.schedule = schedule
    words.parameters = parameterHash ?? 0
    words.requests = requests
    rankWords[turn][localRank].pointee = words
  }

  /// Where this rank leaves the gradient sum of its node number `node` before `reduceAndUpdate`, shape
  /// (n + 1): the gradient, and the loss.
  package func gradientBuffer(_ node: Int) -> UnsafeMutablePointer<Float> {
    nodeBuffers[turn][ownNodeOffset + node]
  }

  /// Says what the next `reduceAndUpdate` is to do. Before any gradient of the step is told of.
  /// - Parameters:
  ///   - activeShards: the shards of this batch that have examples.
  ///   - step: the number of this update, from 1.
  ///   - measured: what of `gradientNorm` and `squaredHalves` is wanted; the same on all ranks.
  package func begin(
    activeShards: Int, step: Int, learningRate: Float, measured: MeasuredNorms = .none
  ) {
    work = StepWork(
      size: activeShards == self.activeShards[0] ? 0 : 1, step: step, learningRate: learningRate,
      measured: measured)
    hasMeasuredHalves = false
  }

  /// Returns when the parameters this rank reads are those of the next step. Collective.
  package func reduceAndUpdate(clock: PhaseClock) throws(MPIError) {
    isNormMeasured = work.measured != .none
    areHalvesMeasured =
      work.measured == .halves
      && (hasMeasuredHalves || ownParts.contains { $0.programs[work.size].addsHalves })
    if let network { return try network.run(clock) }
    meet(clock, isStep: true)
    if holdsWords { commonWords.pointee = serverWords() }
    try foldAndUpdate(clock)
    if isReplicated {
      turn = 1 - turn
    } else {
      meet(clock)
    }
  }

  /// Returns when all parameters are those of the last step on this server, and may be read or written by any rank's own
  /// thread. What went wrong is thrown by the next step, or by the communicator.
  package func settle() { network?.settle() }

  /// The gradient that the last step has added up; clipped, if it was. Until the next step begins on any rank it is
  /// still there.
  /// - Parameter target: shape (n).
  /// - Returns: false where this rank does not see all of it: where it lies on several servers, and where a tensorwise
  ///   optimizer has written over it.
  package func copyGradient(to target: UnsafeMutablePointer<Float>, activeShards: Int) -> Bool {
    guard network == nil, isReplicated || update.tensorwise == nil else { return false }
    // The other row was the last step's.
    let buffers = nodeBuffers[isReplicated ? 1 - turn : turn]
    if update.isStaged, !isReplicated {
      target.update(from: buffers[0], count: layout.parameterCount)
      return true
    }
    let program = firstPart.programs[activeShards == self.activeShards[0] ? 0 : 1]
    for offset in stride(from: 0, to: layout.parameterCount, by: FoldProgram.blockLength) {
      let count = min(FoldProgram.blockLength, layout.parameterCount - offset)
      (target + offset).update(from: program.run(buffers, offset: offset, count: count), count: count)
    }
    return true
  }

  /// Waits for all ranks of this server, if there are others.
  /// - Parameter isStep: whether it is the first time in a step.
  @inline(__always)
  func meet(_ clock: PhaseClock, isStep: Bool = false) {
    guard let barrier else {
      network?.meet(alone: clock, isStep: isStep)
      return
    }
    board.arrive()
    let opening = barrier.wait(arrived: clock.arrive())
    clock.depart(opening, isStep: isStep, isWhole: network == nil)
    if isStep { network?.opening = opening }
  }

  /// Whether this rank's part of the arena is the one with the words.
  private var holdsWords: Bool { firstPart.range.contains(layout.words) }

  /// The sums of this server's ranks.
  var buffers: UnsafeMutablePointer<UnsafeMutablePointer<Float>> { nodeBuffers[turn] }

  /// The words of this server's ranks as one.
  @inline(__always)
  func serverWords() -> AgreementWords {
    AgreementWords.combined(
      UnsafeBufferPointer(rankWords[turn]), party: { .rank(serverRanks[$0]) },
      comparesParameters: isReplicated)
  }

  /// This rank's own words of this step.
  var ownWords: UnsafeMutablePointer<AgreementWords> { rankWords[turn][localRank] }

  /// Compares the servers' clocks. Collective.
  func compareClocks(over communicator: any Communicator) throws(MPIError) {
    if let network { network.clockOffset = try ClockOffset.estimate(over: communicator) }
  }
}

/// What a reduction is to do in a step.
struct StepWork {
  /// Which of the batch sizes that occur.
  var size = 0
  /// The number of the update, from 1.
  var step = 1
  var learningRate: Float = 0
  var measured = MeasuredNorms.none
}
