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
        #expect(plan.exchanges.isEmpty == (expected != .split))
      }
    }
    #expect(Set(PlannedJob.all.map(\.plans[0].placement)).count == 3)
  }

  /// Replicated parameters are each rank's own; all others are cut into parts of whole blocks.
  @Test func everyFloatIsOwnedOnce() {
    for job in PlannedJob.all + PlannedJob.onSeveralServers {
      let ranges = job.plans.map(\.ownRanges)
      let length = job.layout.length
      if job.plans[0].placement == .replicated {
        #expect(ranges.allSatisfy { $0 == [0..<length] }, "\(job)")
      } else {
        #expect(tile(Array(ranges.joined()), length: length), "\(job)")
        #expect(ranges.joined().allSatisfy { $0.isEmpty || $0.lowerBound % ArenaLayout.block == 0 })
      }
      // All ranks say the same of each.
      let updated = ranges.map { all in
        all.map { $0.clamped(to: 0..<job.layout.parameterCount) }.filter { !$0.isEmpty }
      }
      for plan in job.plans { #expect(ranges.indices.map(plan.updatedParameters) == updated, "\(job)") }
    }
  }

  /// On one server the ranks' parts are alike; between servers, the servers' parts of each bucket.
  @Test func partsAreAlike() {
    for job in PlannedJob.all where job.plans[0].placement == .shared {
      let counts = job.plans.map { $0.ownRanges[0].count }
      #expect(counts.max()! - counts.min()! < 2 * ArenaLayout.block, "\(job)")
    }
    for job in PlannedJob.onSeveralServers {
      let lanes = job.topology.ranksOfServer.map(\.count).max()!
      for bucket in job.plans[0].buckets {
        let counts: [Int] = job.servers.map { plans in
          let ranges: [Range<Int>] = plans.flatMap(\.ownRanges)
          return ranges.map { $0.clamped(to: bucket).count }.reduce(0, +)
        }
        #expect(counts.max()! - counts.min()! <= 2 * lanes * ArenaLayout.block, "\(job)")
      }
    }
  }

  /// Buckets are the arena in whole blocks; of several, the last one has the loss and the words and little else.
  @Test func bucketsAreTheArena() {
    for parameters in [1, 1_000, 1_023, 1_024, 5_000, 100_000] {
      let layout = ArenaLayout(parameterCount: parameters)
      #expect(layout.buckets(length: nil) == [0..<layout.length])
      for length in [1_024, 4_096, 65_536] {
        let buckets = layout.buckets(length: length)
        #expect(tile(buckets, length: layout.length) && buckets.allSatisfy { !$0.isEmpty })
        #expect(buckets.allSatisfy { $0.lowerBound % ArenaLayout.block == 0 })
        guard buckets.count > 1 else { continue }
        #expect(buckets.dropLast().allSatisfy { $0.count <= length && $0.upperBound <= parameters })
        #expect(buckets.last!.contains(layout.loss) && buckets.last!.contains(layout.words))
        #expect(buckets.last!.count < 2 * ArenaLayout.block)
      }
    }
  }

  /// Each has one place in the job, whole; and on each other server one rank that takes it there.
  @Test func wordsLieInOnePart() {
    for job in PlannedJob.all + PlannedJob.onSeveralServers {
      let words = job.layout.words..<job.layout.length
      let owners = job.plans.flatMap(\.ownRanges).filter { $0.overlaps(words) }
      #expect(owners.allSatisfy { $0.clamped(to: words) == words }, "\(job)")
      #expect(owners.count == (job.plans[0].placement == .replicated ? job.plans.count : 1), "\(job)")
    }
    for job in PlannedJob.onSeveralServers {
      for server in job.servers {
        let sums = server.flatMap { $0.exchanges.flatMap(\.own) }
        let ranges = Set(sums.map(\.range).filter { $0.contains(job.layout.words) })
        #expect(ranges.count == 1, "\(job)")
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
        for total in plan.exchanges.flatMap(\.totals) {
          #expect(leaves(total.sources.map(\.node), shards).sorted() == Array(0..<shards.count), "\(job)")
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
