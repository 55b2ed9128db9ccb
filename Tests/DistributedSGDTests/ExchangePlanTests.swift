// What servers send each other in a step: the plans of all ranks of many jobs side by side.
import DistributedSGD
import Testing

/// As MPI matches a send with a receive.
private struct Envelope: Hashable {
  let source: Int
  let target: Int
  let tag: Int

  init(_ message: ExchangePlan.Message, of rank: Int) {
    (source, target) = message.direction == .send ? (rank, message.peer) : (message.peer, rank)
    tag = message.tag
  }
}

@Suite struct ExchangePlanTests {
  /// In rounds where that saves more than it costs, and on slow links; two servers have no choice.
  @Test func theLinkDecidesOnTheWay() {
    func way(servers: Int, bitsPerSecond: Double) -> Travel.Route {
      let link = Link(latency: 50e-6, secondsPerByte: 8 / bitsPerSecond)
      return TravelChoice().chosen(link, servers: servers, parameterCount: 235_146).route
    }
    #expect(way(servers: 2, bitsPerSecond: 1e8) == .direct)
    #expect(way(servers: 4, bitsPerSecond: 1e8) == .rounds)
    #expect(way(servers: 4, bitsPerSecond: 1e9) == .direct)
    #expect(way(servers: 128, bitsPerSecond: 1e9) == .rounds)
  }

  /// A server's ranks share the work: over each float one of them adds up each of the server's nodes.
  @Test func sumsOfAServerAreTheArena() {
    for job in PlannedJob.onSeveralServers {
      for server in job.servers {
        let sums = server.flatMap { $0.exchanges.flatMap(\.own) }
        for node in Set(sums.map(\.node)) {
          #expect(tile(sums.filter { $0.node == node }.map(\.range), length: job.layout.length), "\(job)")
        }
        let leaves = Set(sums.flatMap { $0.node.leaves.clamped(to: 0..<job.shards.count) })
        let owned = Set(server[0].serverRanks.flatMap { Array(job.shards.owned(by: $0)) })
        #expect(leaves == owned, "\(job)")
      }
    }
  }

  /// MPI matches by rank and tag: there is one message of each, and both sides mean the same by it.
  @Test func everySendHasItsReceive() {
    for job in PlannedJob.onSeveralServers {
      var sends: [Envelope: ExchangePlan.Message] = [:]
      var receives: [Envelope: ExchangePlan.Message] = [:]
      var count = 0
      for rank in job.plans.indices {
        for message in job.messages(of: rank) {
          let envelope = Envelope(message, of: rank)
          #expect(job.topology.serverOfRank[rank] != job.topology.serverOfRank[message.peer], "\(job)")
          if message.direction == .send { sends[envelope] = message } else { receives[envelope] = message }
          count += 1
        }
      }
      #expect(sends.count + receives.count == count, "\(job)")
      #expect(Set(sends.keys) == Set(receives.keys), "\(job)")
      for (envelope, send) in sends {
        let receive = receives[envelope]
        #expect(send.content == receive?.content && send.count > 0, "\(job)")
        #expect(send.range == receive?.range && send.count == receive?.count, "\(job)")
      }
    }
  }

  /// Where every server has one node, 2 (S − 1)/S of the arena leave it and come to it: directly exactly, in rounds as
  /// near as blocks can be halved.
  @Test func traffic() {
    for job in PlannedJob.onSeveralServers {
      let servers = job.topology.serverCount
      let nodes: [Int] = job.servers.map { plans in
        let sums: [ExchangePlan.Sum] = plans.flatMap { $0.exchanges.flatMap(\.own) }
        return Set(sums.map(\.node)).count
      }
      guard nodes.allSatisfy({ $0 == 1 }) else { continue }
      let lanes = job.topology.ranksOfServer.map(\.count).max()!
      let slack = 2 * ArenaLayout.block * lanes * job.plans[0].buckets.count * servers
      let ideal = 2 * (servers - 1) * job.layout.length / servers
      var all = 0
      for ranks in job.topology.ranksOfServer {
        for direction in [true, false] {
          let messages = ranks.flatMap(job.messages).filter { ($0.direction == .send) == direction }
          let floats = messages.map(\.count).reduce(0, +)
          #expect(abs(floats - ideal) <= slack, "\(job)")
          if direction { all += floats }
        }
      }
      #expect(all == 2 * (servers - 1) * job.layout.length, "\(job)")
    }
  }

  /// Directly, 2 (S − 1) messages for every part; in rounds 2 log₂ S from every rank that works on a lane.
  @Test func messageCounts() {
    func sent(_ job: PlannedJob) -> [Int] {
      job.plans.indices.map { job.messages(of: $0).filter { $0.direction == .send }.count }
    }
    let placement = (0..<128).map { $0 / 8 }
    let direct = PlannedJob(placement, shards: 128, parameters: 1_000_000)
    let rounds = PlannedJob(placement, shards: 128, parameters: 1_000_000, Travel(.rounds))
    #expect(sent(direct) == [Int](repeating: 2 * 15, count: 128))
    #expect(sent(rounds) == [Int](repeating: 2 * 4, count: 128))
    let buckets = PlannedJob(
      placement, shards: 128, parameters: 1_000_000, Travel(.rounds, bucketLength: 250 * 1024))
    // Four buckets, and a block with the loss, which goes through one rank of each server.
    let sentInBuckets = sent(buckets)
    #expect(sentInBuckets.filter { $0 == 32 }.count >= 112)
    let all = sentInBuckets.reduce(0, +)
    #expect(all == 4 * 128 * 8 + 2 * 15)
    // Not every job can have rounds; those have the other way.
    let uneven = PlannedJob(blocks(8, 3, 1), shards: 16, parameters: 100_000, Travel(.rounds))
    #expect(sent(uneven) == sent(PlannedJob(blocks(8, 3, 1), shards: 16, parameters: 100_000)))
  }

  /// The numbers that docs/architecture.md tells.
  @Test func trafficOfTwoJobs() {
    let main = PlannedJob(blocks(4, 4), shards: 8, parameters: 6)
    #expect(main.layout.length == 32)
    #expect(main.plans.indices.flatMap(main.messages).filter { $0.direction == .send }.count == 2)
    let mlp = PlannedJob(blocks(4, 4), shards: 8, parameters: 235_146)
    #expect(mlp.layout.length == 235_168)
    for rank in mlp.plans.indices {
      let messages = mlp.messages(of: rank)
      #expect(messages.filter { $0.direction == .send }.count == 2)
      #expect(messages.filter { $0.direction == .receive }.count == 2)
      #expect(messages.allSatisfy { abs($0.count - 235_168 / 8) < 2 * ArenaLayout.block })
    }
  }

  /// A step played with names in the place of numbers: every sum and every parameter comes where it is read, additions are
  /// those of the tree, and no parameter is written twice.
  @Test func allArrivesInItsPlace() throws {
    for job in PlannedJob.onSeveralServers where job.layout.length < 10_000 {
      var play = Play(job)
      try play.run()
    }
  }
}

/// A step of a job, block by block: the first float of each range stands for all of it.
private struct Play {
  let job: PlannedJob
  /// Of each rank: which node's sum lies at a place.
  var memories: [[Int: Held]]
  /// Of each server: how often each block's parameters were written.
  var writes: [[Int: Int]]

  struct Held: Equatable {
    let node: TreeNode
    let block: Int
  }

  init(_ job: PlannedJob) {
    self.job = job
    memories = job.plans.map { _ in [:] }
    writes = job.servers.map { _ in [:] }
  }

  /// Where the blocks of a range begin.
  private func blocks(_ range: Range<Int>) -> StrideTo<Int> {
    stride(from: range.lowerBound, to: range.upperBound, by: ArenaLayout.block)
  }

  private mutating func hold(_ sum: ExchangePlan.Sum, _ rank: Int) {
    for place in blocks(sum.range) { memories[rank][sum.base + place] = Held(node: sum.node, block: place) }
  }

  private func expect(_ sums: [ExchangePlan.Sum], on rank: Int, over range: Range<Int>) {
    for sum in sums {
      for place in blocks(range) {
        #expect(memories[rank][sum.base + place] == Held(node: sum.node, block: place), "\(job)")
      }
    }
  }

  mutating func run() throws {
    for number in job.plans[0].buckets.indices {
      let plans = job.plans.map { $0.exchanges[number] }
      for (rank, plan) in plans.enumerated() { for sum in plan.own { hold(sum, rank) } }
      for round in 0..<(plans.map(\.sums.count).max() ?? 0) {
        let before = memories
        for (rank, plan) in plans.enumerated() where round < plan.sums.count {
          for message in plan.sums[round].messages where message.direction == .receive {
            try receive(message, rank, plans[message.peer].sums[round].messages, before[message.peer])
          }
        }
        for (rank, plan) in plans.enumerated() where round < plan.sums.count {
          for addition in plan.sums[round].additions {
            expect(addition.sources, on: rank, over: addition.target.range)
            let nodes = addition.sources.map(\.node)
            #expect(nodes == [addition.target.node.left, addition.target.node.right], "\(job)")
            hold(addition.target, rank)
          }
        }
      }
      for (rank, plan) in plans.enumerated() {
        let server = job.topology.serverOfRank[rank]
        for total in plan.totals {
          expect(total.sources, on: rank, over: total.range)
          for place in blocks(total.range) { writes[server][place, default: 0] += 1 }
        }
      }
      for round in 0..<(plans.map(\.updates.count).max() ?? 0) {
        let before = writes
        for (rank, plan) in plans.enumerated() where round < plan.updates.count {
          for message in plan.updates[round].messages {
            #expect(message.offset == message.range.lowerBound, "\(job)")
            let sender = message.direction == .send ? rank : message.peer
            // What is sent is new by then.
            for place in blocks(message.range) {
              #expect(before[job.topology.serverOfRank[sender]][place] == 1, "\(job)")
            }
            guard message.direction == .receive else { continue }
            for place in blocks(message.range) {
              writes[job.topology.serverOfRank[rank]][place, default: 0] += 1
            }
          }
        }
      }
    }
    for server in writes {
      #expect(server.count == (job.layout.length + ArenaLayout.block - 1) / ArenaLayout.block, "\(job)")
      #expect(server.values.allSatisfy { $0 == 1 }, "\(job)")
    }
  }

  private mutating func receive(
    _ message: ExchangePlan.Message, _ rank: Int, _ sends: [ExchangePlan.Message], _ theirs: [Int: Held]
  ) throws {
    let envelope = Envelope(message, of: rank)
    let sent = try #require(
      sends.first { $0.direction == .send && Envelope($0, of: message.peer) == envelope }, "\(job)")
    guard case .sums(let nodes) = message.content else { return #expect(Bool(false), "\(job)") }
    for index in nodes.indices {
      for place in blocks(message.range) {
        let step = index * message.range.count + place - message.range.lowerBound
        let held = try #require(theirs[sent.offset + step], "\(job)")
        #expect(held == Held(node: nodes[index], block: place), "\(job)")
        memories[rank][message.offset + step] = held
      }
    }
  }
}
