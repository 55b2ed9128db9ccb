// Jobs on many placements, each rank of them with its plan: without memory, messages or processes.
import DistributedSGD
import MPI

/// All ranks of a job, each with its plan.
struct PlannedJob: CustomStringConvertible {
  let topology: Topology
  let shards: Shards
  let layout: ArenaLayout
  let travel: Travel
  let plans: [ReductionPlan]

  init(_ serverOfRank: [Int], shards shardCount: Int, parameters: Int, _ travel: Travel = Travel()) {
    self.travel = travel
    let topology = Topology(
      serverOfRank: serverOfRank, hosts: (0...serverOfRank.max()!).map { "server\($0)" })
    let shards = Shards(count: shardCount, worldSize: serverOfRank.count)
    let layout = ArenaLayout(parameterCount: parameters)
    (self.topology, self.shards, self.layout) = (topology, shards, layout)
    plans = serverOfRank.indices.map {
      ReductionPlan(
        topology: topology, rank: $0, shards: shards, layout: layout, activeShards: [shardCount],
        travel: travel)
    }
  }

  var description: String {
    "\(layout.parameterCount) parameters, \(shards.count) shards, servers of the ranks: \(topology.serverOfRank), \(travel)"
  }

  /// For each server, its ranks' plans.
  var servers: [[ReductionPlan]] { topology.ranksOfServer.map { ranks in ranks.map { plans[$0] } } }

  /// Between servers, of one rank.
  func messages(of rank: Int) -> [ExchangePlan.Message] {
    plans[rank].exchanges.flatMap { ($0.sums + $0.updates).flatMap(\.messages) }
  }
}

/// Servers with so many ranks each, one after the other.
func blocks(_ ranks: Int...) -> [Int] {
  ranks.enumerated().flatMap { Array(repeating: $0, count: $1) }
}

private let placements: [[Int]] = [
  blocks(1), blocks(2), blocks(8), blocks(2, 2), blocks(1, 1, 1), blocks(1, 3, 1), blocks(4, 4),
  // Dealt out in turn, and not evenly.
  [0, 1, 0, 1, 0], [0, 1, 2, 0, 1, 2, 0], [0, 1, 1, 2, 0, 1, 2, 2, 1],
]
private let largePlacements: [[Int]] = [(0..<128).map { $0 / 8 }, (0..<128).map { $0 % 16 }]

extension PlannedJob {
  static let all: [PlannedJob] =
    placements.flatMap { placement in
      [1, 6, 7, 15, 100, 2_039, 2_040, 235_146].flatMap { parameters in
        [placement.count, placement.count + 1, 3 * placement.count - 1].map {
          PlannedJob(placement, shards: $0, parameters: parameters)
        }
      }
    }
    + largePlacements.flatMap { placement in
      [6, 100, 2_040, 235_146].map { PlannedJob(placement, shards: 131, parameters: $0) }
    }

  static let onSeveralServers =
    all.filter { $0.topology.serverCount > 1 }
    + [
      (blocks(1, 1), 2), (blocks(1, 1, 1, 1), 4), (blocks(2, 2, 2, 2), 16), (blocks(4, 4), 8),
      (Array((0..<128).map { $0 / 8 }), 128), (blocks(8, 3, 1), 16), (blocks(1, 1, 1), 3),
    ].flatMap { placement, shards in
      [100, 2_040, 9_000, 235_146].flatMap { parameters in
        [1, 4, 20].flatMap { blocks in
          Travel.Route.allCases.map {
            PlannedJob(
              placement, shards: shards, parameters: parameters,
              Travel($0, bucketLength: blocks * ArenaLayout.block))
          }
        }
      }
    }
}

/// Whether ranges lie one after the other, without gap, and are together 0 ..< `length`.
func tile(_ ranges: [Range<Int>], length: Int) -> Bool {
  let present = ranges.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
  return [0] + present.map(\.upperBound) == present.map(\.lowerBound) + [length]
}
