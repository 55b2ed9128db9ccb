// Who adds up what in a step, and where it lies: worked out before anything is allocated.
import MPI

/// One rank's part in the reduction, as a value: `GradientReduction`, `ServerExchange` and `OptimizerState` allocate
/// what it says.
///
/// A rank's *nodes* are the largest nodes of the tree whose shards it owns (mostly one). The ranks of a server share
/// one window of arenas, as long as `layout.stride`:
///
///     parameters (n), loss, words | gradient sums of local rank 0's nodes | of local rank 1's | …
package struct ReductionPlan: Sendable {
  /// Where the parameters are, and what the optimizer keeps beside them.
  package enum Placement: Sendable {
    /// Small models: every rank adds up everything itself, and keeps parameters of its own. That takes one
    /// barrier a step instead of two; two sets of gradient buffers take turns.
    case replicated
    /// The ranks of the only server share all of it, where each updates its own part.
    case shared
    /// Each server has the parameters; of the optimizer's state each rank has its own part alone.
    case split
  }

  /// Models up to this many floats, the loss included, are replicated: adding them up takes less than a barrier.
  package static let replicationLimit = 2040

  package let layout: ArenaLayout
  package let tree: ReductionTree
  package let placement: Placement
  /// The numbers of non-empty shards that occur.
  package let activeShards: [Int]
  package let worldSize: Int
  /// The ranks of this rank's server.
  package let serverRanks: [Int]
  package let localRank: Int
  /// The nodes of each of them.
  package let nodesOfLocalRank: [[TreeNode]]
  /// What goes between servers, for each bucket; none where there is one server.
  package let exchanges: [ExchangePlan]
  /// By which way.
  package let route: Travel.Route
  /// Where there are several servers: who updates what, in the arena's order.
  private let owners: [(range: Range<Int>, rank: Int)]

  package init(
    topology: Topology, rank: Int, shards: Shards, layout: ArenaLayout, activeShards: [Int],
    travel: Travel = Travel()
  ) {
    let tree = ReductionTree(leafCount: shards.count)
    self.tree = tree
    self.layout = layout
    self.activeShards = activeShards
    worldSize = topology.worldSize
    serverRanks = topology.ranksOfServer[topology.serverOfRank[rank]]
    localRank = topology.localRank(of: rank)
    nodesOfLocalRank = serverRanks.map { tree.nodes(covering: Set(shards.owned(by: $0))) }
    placement =
      topology.serverCount > 1
      ? .split : worldSize > 1 && layout.addedCount <= Self.replicationLimit ? .replicated : .shared
    guard placement == .split else {
      (exchanges, owners, route) = ([], [], .direct)
      return
    }
    let routes = ServerRoutes(
      topology: topology, shards: shards, layout: layout, tree: tree, route: travel.route)
    let buckets = layout.buckets(length: travel.bucketLength, format: travel.format)
    route = routes.route
    var end = 0
    exchanges = buckets.enumerated().map { number, bucket in
      let plan = ExchangePlan(
        bucket: bucket, number: number, rank: rank, server: topology.serverOfRank[rank], routes: routes,
        format: bucket.contains(layout.words) ? .fp32 : travel.format, start: end)
      end = plan.end
      return plan
    }
    owners = routes.owners(of: buckets)
  }

  /// What a rank adds up and updates, in the arena's order.
  private func ranges(of rank: Int) -> [Range<Int>] {
    switch placement {
    case .replicated: [0..<layout.length]
    case .shared: [layout.ownedRange(of: rank, worldSize: worldSize)]
    case .split: owners.filter { $0.rank == rank }.map(\.range)
    }
  }

  /// The same of this rank.
  package var ownRanges: [Range<Int>] { ranges(of: serverRanks[localRank]) }

  /// The parameters that a rank updates, in the arena's order.
  package func updatedParameters(of rank: Int) -> [Range<Int>] {
    ranges(of: rank).map { $0.clamped(to: 0..<layout.parameterCount) }.filter { !$0.isEmpty }
  }

  /// The arena's buckets, which travel by themselves between servers; none where there is one.
  package var buckets: [Range<Int>] { exchanges.map(\.bucket) }

  /// The nodes of the tree that this rank adds up alone.
  package var nodes: [TreeNode] { nodesOfLocalRank[localRank] }
  /// The nodes of all ranks of this server, as their sums lie in the window.
  package var windowNodes: [TreeNode] { nodesOfLocalRank.flatMap { $0 } }
  /// For each rank of this server, which of `windowNodes` is its first.
  package var firstNodes: [Int] { nodesOfLocalRank.starts }
  /// Floats of the exchanges' memory.
  package var exchangeLength: Int { exchanges.last?.end ?? 0 }

  /// Whether there are several copies of the parameters, which could differ.
  package var hasSeveralCopies: Bool { placement != .shared }

  /// Sets of gradient buffers.
  package var turns: Int { placement == .replicated ? 2 : 1 }
  /// Floats of the window.
  package var windowLength: Int { layout.stride * (1 + turns * windowNodes.count) }
  /// Where the arena of each of `windowNodes` begins in the window.
  package func windowOffsets(turn: Int) -> [Int] {
    let count = windowNodes.count
    return (0..<count).map { layout.stride * (1 + turn * count + $0) }
  }
}

extension [[TreeNode]] {
  /// Where each row begins when all stand one after the other.
  var starts: [Int] { indices.map { row in self[..<row].reduce(0) { $0 + $1.count } } }
}
