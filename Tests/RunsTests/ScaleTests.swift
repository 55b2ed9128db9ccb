// What ranks tell rank 0 of an epoch, and servers each other: bounded, however many steps, ranks or servers there are.
import DistributedSGD
import MPI
import Runs
import Testing

@Suite struct ScaleTests {
  private func message(steps: Int, ranks: Int) -> RankMessage {
    // A clock keeps 64 ranges at most.
    let ranges = (0..<min(64, steps)).map {
      StepRange(firstStep: $0 + 1, lastStep: $0 + 1, own: 1, wait: 0.5, late: 0.25)
    }
    let limits = RankMessage.Limits(worldSize: ranks)
    let waits = (0..<min(limits.waits, ranks)).map { WaitForRank(rank: $0, count: 3, seconds: Double($0)) }
    return RankMessage(
      phases: Phase.allCases.map { _ in PhaseSummary() }, use: RankUse(), waits: waits, ranges: ranges)
  }

  /// As many bytes from each rank for any number of steps; less than 5 kB, and than 1.2 kB of many ranks.
  @Test(arguments: [1, 2, 8, 64, 65, 256, 1_024, 10_240, 100_000]) func whatARankTells(_ ranks: Int) {
    let limits = RankMessage.Limits(worldSize: ranks)
    let lengths = Set(
      [0, 1, 10, 64, 1_000_000].map { message(steps: $0, ranks: ranks).numbers(limits).count })
    #expect(lengths.count == 1)
    #expect(8 * lengths.first! < (ranks >= 512 ? 1_200 : 5_000))
    // Nothing is lost but where in the epoch it was.
    let told = RankMessage(message(steps: 64, ranks: ranks).numbers(limits), limits)
    #expect(told.ranges.count <= limits.ranges && told.ranges.count >= 8)
    #expect(told.ranges.first?.firstStep == 1 && told.ranges.last?.lastStep == 64)
    #expect(zip(told.ranges, told.ranges.dropFirst()).allSatisfy { $0.lastStep + 1 == $1.firstStep })
    #expect(told.ranges.reduce(0) { $0 + $1.own } == 64 && told.ranges.reduce(0) { $0 + $1.wait } == 32)
    #expect(told.ranges.reduce(0) { $0 + $1.late } == 16)
    #expect(told.waits == message(steps: 64, ranks: ranks).waits)
    if ranks <= 64 { #expect(told.ranges.count == 64 && limits.waits == ranks) }
  }

  /// Rank 0 keeps a bounded number of waits of each rank, however many epochs there are; the longest of them.
  @Test func waitsOfManyEpochs() {
    let ranks = 1_024
    let limit = RankMessage.Limits(worldSize: ranks).waits
    var timings = RankTimings(ranks: [])
    for epoch in 0..<60 {
      var next = RankTimings(ranks: (0..<ranks).map { _ in Phase.allCases.map { _ in PhaseSummary() } })
      next.uses = (0..<ranks).map { _ in RankUse() }
      next.ranges = (0..<ranks).map { _ in [] }
      next.waits = (0..<ranks).map { rank in
        // One rank is waited for again and again, and others now and then.
        [WaitForRank(rank: 5, count: 1, seconds: 1)]
          + (1..<limit).map {
            WaitForRank(rank: (rank + 31 * epoch + 7 * $0) % ranks, count: 1, seconds: 0.01)
          }
      }
      timings.add(next)
      #expect(timings.waits.allSatisfy { $0.count <= 2 * limit })
    }
    for waits in timings.waits {
      let most = waits.max { $0.seconds < $1.seconds }
      #expect(most?.rank == 5 && (most?.seconds ?? 0) >= 60)
    }
  }

  /// The first server hears a thousand datagrams a second at most, unless the timeout is too short for that.
  @Test func signsOfLife() {
    #expect(ServerHeartbeats.interval(servers: 2, timeout: 60) == 1)
    #expect(ServerHeartbeats.interval(servers: 1_000, timeout: 60) == 1)
    #expect(ServerHeartbeats.interval(servers: 12_500, timeout: 60) == 12.5)
    #expect(ServerHeartbeats.interval(servers: 12_500, timeout: 0) == 12.5)
    for servers in [2, 100, 1_280, 12_500, 1_000_000] {
      for timeout in [1.0, 5, 60, 600] {
        #expect(ServerHeartbeats.interval(servers: servers, timeout: timeout) <= max(1, timeout) / 4)
      }
    }
  }
}
