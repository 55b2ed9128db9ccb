// What grows with ranks, shards and servers, and how: plans of jobs of up to 100,000 ranks, of which nothing is started.
import DistributedSGD
import MPI
import Testing

/// A job of servers with eight ranks each, and as many shards as `--shards` has by default.
private struct LargeJob: CustomTestStringConvertible {
  let topology: Topology
  let shards: Shards

  init(ranks: Int) {
    let servers = (ranks + 7) / 8
    topology = Topology(
      serverOfRank: (0..<ranks).map { $0 / 8 }, hosts: (0..<servers).map { "node\($0)" })
    var count = 8
    while count < ranks { count *= 2 }
    shards = Shards(count: count, worldSize: ranks)
  }

  var testDescription: String { "\(topology.worldSize) ranks, \(shards.count) shards" }

  /// Some ranks, the first and the last among them.
  var sample: [Int] { stride(from: 0, to: topology.worldSize, by: 997).map { $0 } + [topology.worldSize - 1] }
}

private let largeJobs = [1_024, 10_240, 100_000].map(LargeJob.init)

/// ⌈log₂ count⌉
private func logarithm(_ count: Int) -> Int {
  var result = 0
  while 1 << result < count { result += 1 }
  return result
}

@Suite struct ScaleTests {
  @Test(arguments: largeJobs) private func shardsOfEveryRank(_ job: LargeJob) {
    let tree = ReductionTree(leafCount: job.shards.count)
    var next = 0
    var nodes = 0
    for rank in 0..<job.topology.worldSize {
      let owned = job.shards.owned(by: rank)
      #expect(owned.lowerBound == next && !owned.isEmpty)
      next = owned.upperBound
      let own = tree.nodes(covering: owned)
      #expect(own.flatMap(\.leaves) == Array(owned))
      nodes += own.count
    }
    #expect(next == job.shards.count)
    // A rank has less than two shards here, so that all of them have less than two nodes each.
    #expect(nodes <= job.shards.count)
  }

  /// A run of leaves needs no set of them, and 2 log₂ V nodes at most.
  @Test func nodesOfRunsAreThoseOfSets() {
    for leafCount in [1, 2, 5, 8, 77, 1_000] {
      let tree = ReductionTree(leafCount: leafCount)
      for start in stride(from: 0, through: leafCount, by: max(1, leafCount / 29)) {
        for end in stride(from: start, through: leafCount, by: max(1, leafCount / 31)) {
          let nodes = tree.nodes(covering: start..<end)
          #expect(nodes == tree.nodes(covering: Set(start..<end)), "\(start)..<\(end) of \(leafCount)")
          #expect(nodes.count <= max(1, 2 * logarithm(leafCount)))
        }
      }
    }
    // Of 100,000 ranks dealt out in turn over ten servers each has as many nodes as shards, and all have all.
    let tree = ReductionTree(leafCount: 100_000)
    let dealt = tree.nodes(covering: Set(stride(from: 3, to: 100_000, by: 10)))
    #expect(dealt.count == 10_000 && dealt.allSatisfy { $0.level == 0 && $0.index % 10 == 3 })
  }

  @Test(arguments: largeJobs) private func placesOfEveryRank(_ job: LargeJob) {
    let topology = job.topology
    #expect(
      (0..<topology.worldSize).allSatisfy { rank in
        topology.ranksOfServer[topology.serverOfRank[rank]][topology.localRank(of: rank)] == rank
      })
    // All on one server, as a test of a launcher may have it.
    let count = topology.worldSize
    let single = Topology(serverOfRank: Array(repeating: 0, count: count), hosts: ["node"])
    #expect((0..<count).allSatisfy { single.localRank(of: $0) == $0 })
  }

  /// What a server's ranks add up and keep does not grow with servers: parts of the arena, each in one place.
  @Test(arguments: largeJobs) private func windows(_ job: LargeJob) {
    let layout = ArenaLayout(parameterCount: 25_000_000)
    for rank in job.sample {
      let plan = ReductionPlan(
        topology: job.topology, rank: rank, shards: job.shards, layout: layout,
        activeShards: [job.shards.count])
      #expect(plan.serverRanks.count <= 8 && plan.serverRanks[plan.localRank] == rank)
      #expect(plan.windowNodes.count <= 2 * plan.serverRanks.count)
      #expect(plan.windowLength == layout.stride * (1 + plan.windowNodes.count))
      // Servers own alike, and their ranks nearly.
      let owned = plan.ownRanges.map(\.count).reduce(0, +)
      #expect(owned <= 2 * layout.length / job.topology.worldSize + 2 * ArenaLayout.block)
    }
  }

  /// A small model has fewer blocks than there are ranks: most ranks own nothing, and each float has one owner.
  @Test(arguments: largeJobs) private func owners(_ job: LargeJob) {
    for parameters in [6, 235_146, 25_000_000] {
      let layout = ArenaLayout(parameterCount: parameters)
      let ranges = (0..<job.topology.worldSize).map {
        layout.ownedRange(of: $0, worldSize: job.topology.worldSize)
      }
      #expect(tile(ranges, length: layout.length))
      let blocks = (layout.length + ArenaLayout.block - 1) / ArenaLayout.block
      #expect(ranges.count { !$0.isEmpty } == min(blocks, job.topology.worldSize))
    }
  }

  /// Each server asks one that knows the time, and after log₂ S rounds all know it.
  @Test(arguments: [1, 2, 3, 8, 128, 1_280, 12_500]) func clocks(_ servers: Int) {
    var asked: [Int: Int] = [:]
    for server in 0..<servers {
      let path = ClockOffset.path(to: server)
      #expect(path.count <= logarithm(servers) && path.first ?? 0 == server)
      #expect(zip(path, path.dropFirst()).allSatisfy { $0 > $1 })
      if server > 0 { asked[path.count > 1 ? path[1] : 0, default: 0] += 1 }
    }
    #expect(asked.values.reduce(0, +) == servers - 1)
    #expect(asked.values.allSatisfy { $0 <= logarithm(servers) })
  }

  /// Who differs among very many is found by looking at each of them once or twice.
  @Test func oneOfManyDiffers() {
    var hashes = [UInt64](repeating: 7, count: 100_000)
    #expect(Suspect(amongParameters: hashes) { .rank($0) } == nil)
    hashes[77_777] = 8
    let suspect = Suspect(amongParameters: hashes) { .rank($0) }
    #expect(suspect?.party == .rank(77_777) && suspect?.isOneOfTwo == false)
    // The first of all may be the one who is wrong.
    hashes[0] = 9
    #expect(Suspect(amongParameters: hashes) { .rank($0) }?.party == .rank(0))
    let apart = (0..<100_000).map { UInt64($0) }
    let another = Suspect(amongParameters: apart) { .rank($0) }
    #expect(another?.party == .rank(1) && another?.isOneOfTwo == true)
    let halves = (0..<100_000).map { UInt64($0 / 50_000) }
    #expect(Suspect(amongParameters: halves) { .server($0) }?.party == .server(50_000))
  }
}
