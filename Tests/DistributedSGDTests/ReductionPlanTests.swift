// Who owns and adds up what, and where it lies: the plans of all ranks of many jobs side by side.
import DistributedSGD
import Testing

/// The shards below some nodes, in the nodes' order.
private func leaves(_ nodes: [TreeNode], _ shards: Shards) -> [Int] {
  nodes.flatMap { $0.leaves.clamped(to: 0..<shards.count) }
}

@Suite struct ReductionPlanTests {
  /// Gradients, loss, words: one behind the other, the words in one cache line.
  @Test func arena() {
    #expect(MemoryLayout<AgreementWords>.size <= 16 * MemoryLayout<Float>.size)
    for count in 1..<200 {
      let layout = ArenaLayout(parameterCount: count)
      #expect(layout.loss == count && layout.addedCount == count + 1)
      #expect(layout.words % 16 == 0 && 0..<16 ~= layout.words - layout.addedCount)
      #expect(layout.length == layout.words + 16)
      #expect(layout.words / 16 == (layout.length - 1) / 16)
      #expect(layout.stride % 16 == 0 && 0..<16 ~= layout.stride - layout.length)
    }
  }

  /// One copy of the parameters on one server, unless they are few and there are several ranks.
  @Test func onlySmallModelsOnOneServerAreReplicated() {
    for job in PlannedJob.all {
      let isSmall = job.layout.parameterCount < 2_040
      let expected: ReductionPlan.Placement =
        job.topology.serverCount > 1 ? .split : isSmall && job.topology.worldSize > 1 ? .replicated : .shared
      for plan in job.plans {
        #expect(plan.placement == expected, "\(job)")
        #expect(plan.turns == (expected == .replicated ? 2 : 1))
        #expect(plan.hasSeveralCopies == (expected != .shared))
        #expect((plan.exchange != nil) == (expected == .split))
      }
    }
    #expect(Set(PlannedJob.all.map(\.plans[0].placement)).count == 3)
  }

  /// Replicated parameters are each rank's own; all others are cut into parts of whole blocks.
  @Test func everyFloatIsOwnedOnce() {
    for job in PlannedJob.all {
      let ranges = job.plans.map(\.ownRange)
      if job.plans[0].placement == .replicated {
        #expect(ranges.allSatisfy { $0 == 0..<job.layout.length }, "\(job)")
      } else {
        #expect(tile(ranges, length: job.layout.length), "\(job)")
        #expect(ranges.allSatisfy { $0.isEmpty || $0.lowerBound % ArenaLayout.block == 0 })
        #expect(
          ranges.map(\.count).max()! - ranges.map(\.count).min()! < 2 * ArenaLayout.block, "\(job)")
      }
      // All ranks say the same of each.
      let updated = ranges.map { $0.clamped(to: 0..<job.layout.parameterCount) }
      for plan in job.plans { #expect(ranges.indices.map(plan.updatedParameters) == updated, "\(job)") }
    }
  }

  /// Each has one place in the job, whole; and on each other server one rank that takes it there.
  @Test func wordsLieInOnePart() {
    for job in PlannedJob.all {
      let words = job.layout.words..<job.layout.length
      let owners = job.plans.map(\.ownRange).filter { $0.overlaps(words) }
      #expect(owners.allSatisfy { $0.clamped(to: words) == words }, "\(job)")
      #expect(owners.count == (job.plans[0].placement == .replicated ? job.plans.count : 1), "\(job)")
    }
    for job in PlannedJob.onSeveralServers {
      for server in job.servers {
        let parts = server.flatMap { $0.exchange!.parts }.filter { $0.range.contains(job.layout.words) }
        #expect(parts.count == 1, "\(job)")
      }
    }
  }

  /// The nodes of ranks, of servers, and those of which the total is made: all of their shards and no others.
  @Test func nodesCoverTheShards() {
    for job in PlannedJob.all {
      let shards = job.shards
      for (rank, plan) in job.plans.enumerated() {
        #expect(plan.serverRanks[plan.localRank] == rank)
        #expect(leaves(plan.nodes, shards) == Array(shards.owned(by: rank)), "\(job)")
        #expect(plan.nodesOfLocalRank == plan.serverRanks.map { job.plans[$0].nodes }, "\(job)")
        #expect(leaves(plan.totalSources, shards).sorted() == Array(0..<shards.count), "\(job)")
      }
      for (rank, exchange) in job.plans.map(\.exchange).enumerated() {
        guard let exchange else { continue }
        #expect(exchange.ownServer == job.topology.serverOfRank[rank])
        for (server, ranks) in job.topology.ranksOfServer.enumerated() {
          let owned = ranks.flatMap { Array(shards.owned(by: $0)) }
          #expect(leaves(exchange.nodesOfServer[server], shards) == owned, "\(job)")
        }
      }
    }
  }

  /// The parameters and every node of every turn have an arena of their own; all ranks of a server say the same.
  @Test func windowsAreFilledExactly() {
    for job in PlannedJob.all {
      for server in job.servers {
        for plan in server {
          let offsets = [0] + (0..<plan.turns).flatMap(plan.windowOffsets)
          #expect(plan.windowLength == server[0].windowLength, "\(job)")
          #expect(tile(offsets.map { $0..<$0 + job.layout.stride }, length: plan.windowLength), "\(job)")
          #expect(plan.windowOffsets(turn: 0) == server[0].windowOffsets(turn: 0), "\(job)")
          #expect(plan.windowNodes == plan.nodesOfLocalRank.flatMap { $0 })
          #expect(plan.firstNodes.map { plan.windowNodes[$0] } == server.map(\.nodes[0]), "\(job)")
        }
      }
    }
  }
}
