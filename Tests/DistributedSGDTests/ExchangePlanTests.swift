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
  /// A server's ranks share the work: over each float one of them adds up the server's nodes.
  @Test func partsOfAServerAreTheArena() {
    for job in PlannedJob.onSeveralServers {
      for server in job.servers {
        #expect(tile(server.flatMap { $0.exchange!.parts.map(\.range) }, length: job.layout.length), "\(job)")
        for plan in server { #expect(plan.exchange!.parts[0].range == plan.ownRange) }
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
        #expect(send.content == receive?.content, "\(job)")
        #expect(send.range == receive?.range && send.count == receive?.count, "\(job)")
      }
    }
  }

  /// 2 (S - 1) messages for every part that is not empty: each server's sums once, the parameters once back.
  @Test func traffic() {
    for job in PlannedJob.onSeveralServers {
      let others = job.topology.serverCount - 1
      let sent = job.plans.indices.map { job.messages(of: $0).filter { $0.direction == .send } }
      let parts = job.plans.filter { !$0.ownRange.isEmpty }
      #expect(sent.joined().count == 2 * others * parts.count, "\(job)")
      let updates = sent.joined().filter { $0.content == .parameters }
      #expect(updates.reduce(0) { $0 + $1.count } == others * job.layout.length, "\(job)")
      let sums = sent.joined().filter { $0.content != .parameters }
      let needed = parts.reduce(0) { total, plan in
        let exchange = plan.exchange!
        let foreign = exchange.sourceNodes.count - exchange.nodesOfServer[exchange.ownServer].count
        return total + foreign * plan.ownRange.count
      }
      #expect(sums.reduce(0) { $0 + $1.count } == needed, "\(job)")
    }
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

  /// A step played with names in the place of numbers: every sum and every parameter comes where it is read, and
  /// nothing is written twice.
  @Test func allArrivesInItsPlace() throws {
    for job in PlannedJob.onSeveralServers where job.layout.length < 300 {
      let exchanges = job.plans.map { $0.exchange! }
      var memories = exchanges.map { [Sum?](repeating: nil, count: $0.length) }
      func write(_ sum: Sum?, _ rank: Int, _ offset: Int) throws {
        try #require(memories[rank].indices.contains(offset) && memories[rank][offset] == nil, "\(job)")
        memories[rank][offset] = sum
      }
      for (rank, exchange) in exchanges.enumerated() {
        for part in exchange.parts {
          for (node, offset) in zip(exchange.nodesOfServer[exchange.ownServer], part.offsets) {
            for (place, index) in part.range.enumerated() {
              try write(Sum(node, index), rank, offset + place)
            }
          }
        }
      }
      // How often each float of each server's parameters is written.
      var writes = job.servers.map { _ in [Int](repeating: 0, count: job.layout.length) }
      for plan in job.plans { for i in plan.ownRange { writes[plan.exchange!.ownServer][i] += 1 } }
      for (rank, exchange) in exchanges.enumerated() {
        for message in exchange.sums where message.direction == .receive {
          let envelope = Envelope(message, of: rank)
          let peer = message.peer
          let sent = try #require(
            exchanges[peer].sums.first { Envelope($0, of: peer) == envelope }, "\(job)")
          for i in 0..<message.count {
            try #require(memories[peer].indices.contains(sent.offset + i), "\(job)")
            try write(memories[peer][sent.offset + i], rank, message.offset + i)
          }
        }
        for message in exchange.updates {
          #expect(message.offset == message.range.lowerBound, "\(job)")
          guard message.direction == .receive else { continue }
          for i in message.range { writes[exchange.ownServer][i] += 1 }
        }
      }
      for (rank, exchange) in exchanges.enumerated() {
        #expect(!memories[rank].contains(nil), "\(job)")
        for (node, offset) in zip(exchange.sourceNodes, exchange.sourceOffsets) {
          let sums = exchange.ownRange.map { Sum(node, $0) }
          #expect(Array(memories[rank].dropFirst(offset).prefix(sums.count)) == sums, "\(job)")
        }
        #expect(
          exchange.firstSources.map { exchange.sourceNodes[$0] } == exchange.nodesOfServer.map { $0[0] })
      }
      #expect(writes.allSatisfy { $0.allSatisfy { $0 == 1 } }, "\(job)")
    }
  }
}

/// One float of the sum of a node.
private struct Sum: Equatable {
  let node: TreeNode
  let index: Int

  init(_ node: TreeNode, _ index: Int) { (self.node, self.index) = (node, index) }
}
