// What a run's timings say about its ranks, on numbers that are made up; and the rows that tell them.
import DistributedSGD
import MPI
import Runs
import System
import TestSupport
import Testing

/// A job of some ranks on one server, 1,000 steps of 10 ms, in which nobody is late.
private struct MadeJob {
  var timings: RankTimings
  var topology: Topology

  init(ranks: Int, cores: Int = 64, hosts: Int = 1) {
    topology = Topology(
      serverOfRank: (0..<ranks).map { $0 * hosts / ranks }, hosts: (0..<hosts).map { "node\($0)" })
    timings = RankTimings(ranks: (0..<ranks).map { _ in Phase.allCases.map { _ in PhaseSummary() } })
    timings.uses = (0..<ranks).map { _ in
      var use = RankUse()
      use[.wall] = 10
      use[.own] = 9.8
      use[.cpu] = 9.9
      use[.steps] = 1000
      use[.lastSteps] = 1000 / Double(ranks)
      use[.late] = 0.1 / Double(ranks)
      use[.cores] = Double(cores)
      use[.localRanks] = Double(ranks / hosts)
      use[.examples] = 16
      return use
    }
    timings.waits = (0..<ranks).map { rank in
      (0..<ranks).filter { $0 != rank }.map {
        WaitForRank(rank: $0, count: 1000 / ranks, seconds: 0.2 / Double(ranks))
      }
    }
    timings.rangesAsLatest = [Int](repeating: 64 / ranks, count: ranks)
    for rank in 0..<ranks { timings.ranks[rank][Phase.wait.rawValue].seconds = 0.2 }
  }

  /// These are late by `seconds` each, in most steps.
  mutating func delay(_ late: [Int], seconds: Double, cause: RankUse.Field? = nil) {
    let ranks = timings.uses.count
    for rank in 0..<ranks {
      if late.contains(rank) {
        timings.uses[rank][.late] += seconds / Double(late.count)
        timings.uses[rank][.lastSteps] = 920 / Double(late.count)
        timings.rangesAsLatest[rank] = 63 / late.count
        if let cause { timings.uses[rank][cause] = 0.9 * seconds / Double(late.count) }
      } else {
        timings.uses[rank][.lastSteps] = 80 / Double(ranks - late.count)
        timings.rangesAsLatest[rank] = 0
        for index in timings.waits[rank].indices where late.contains(timings.waits[rank][index].rank) {
          timings.waits[rank][index].seconds += seconds / Double(late.count)
        }
        timings.ranks[rank][Phase.wait.rawValue].seconds += seconds
      }
    }
  }

  var bill: Bill { Bill(timings, topology) }
}

@Suite struct BillTests {
  @Test(arguments: [2, 3, 4, 8, 128]) func nobodyIsSlow(_ ranks: Int) {
    let bill = MadeJob(ranks: ranks, cores: 128).bill
    #expect(bill.text == "time:   no rank is slow; waiting took 2.0 % of the job\n")
  }

  @Test(arguments: [2, 3, 4, 8, 128], [0.3, 0.83, 4]) func oneRankIsSlow(_ ranks: Int, _ seconds: Double) {
    for late in Set([0, ranks / 2, ranks - 1]) {
      var job = MadeJob(ranks: ranks, cores: 128)
      job.delay([late], seconds: seconds, cause: .lateQueued)
      guard case .late(let named, let ofSteps, let ofJob, let cause) = job.bill.findings.first else {
        Issue.record("\(job.bill.text)")
        continue
      }
      #expect(named == [late] && ofSteps == 0.92 && cause == .noCore)
      #expect(abs(ofJob - (seconds + 0.1 / Double(ranks)) / 10) < 1e-9)
      #expect(
        job.bill.text.contains("rank \(late) on node0 was last in 92 % of 1000 steps; waiting for it took "))
      #expect(job.bill.text.contains("\nadvice: give every rank a core of its own"))
    }
  }

  /// Two that are slow alike do not hide each other: the wait of all others is what they cost.
  @Test func aSlowServer() {
    var job = MadeJob(ranks: 8, hosts: 4)
    job.delay([4, 5], seconds: 3)
    guard case .late(let named, _, let ofJob, _) = job.bill.findings.first else {
      Issue.record("\(job.bill.text)")
      return
    }
    #expect(named == [4, 5] && abs(ofJob - 0.3) < 0.01)
    #expect(
      job.bill.text.hasPrefix(
        "time:   ranks 4, 5 on node2 were last in 92 % of 1000 steps; waiting for them took 30."))
  }

  /// Half a percent of a job is nobody's fault.
  @Test func aLittleIsNotTold() {
    var job = MadeJob(ranks: 4)
    job.delay([1], seconds: 0.05)
    #expect(job.bill.text.hasPrefix("time:   no rank is slow"))
  }

  /// One long delay is not a slow rank.
  @Test func oneHiccup() {
    var job = MadeJob(ranks: 4)
    job.timings.uses[2][.late] += 3
    job.timings.rangesAsLatest[2] += 1
    for rank in [0, 1, 3] {
      for index in job.timings.waits[rank].indices where job.timings.waits[rank][index].rank == 2 {
        job.timings.waits[rank][index].seconds += 3
      }
    }
    #expect(job.bill.text.hasPrefix("time:   no rank is slow"), "\(job.bill.text)")
  }

  @Test func moreRanksThanCores() {
    var job = MadeJob(ranks: 4, cores: 2)
    for rank in 0..<4 { job.timings.ranks[rank][Phase.wait.rawValue].seconds = 6 }
    #expect(
      job.bill.text
        == "time:   no rank is slow: 4 ranks share 2 cores, and waiting took 60.0 % of the job\nadvice: start 2 ranks a server: more take turns on the same cores\n"
    )
  }

  @Test func theNetwork() {
    var job = MadeJob(ranks: 4, hosts: 2)
    for rank in 0..<4 { job.timings.uses[rank][.network] = 7.3 }
    #expect(
      job.bill.text.hasPrefix(
        "time:   73.0 % of the time went into the network\nadvice: a larger --global-batch"))
  }

  @Test(arguments: [
    (RankUse.Field.lateWriting, "it wrote checkpoints\nadvice: write checkpoints less often"),
    (.lateAsleep, "it mostly slept\nadvice: see what it waits for"),
    (.lateQueued, "it mostly had no core\nadvice: give every rank a core"),
    (.lateOther, "it did other things than training\nadvice: tell less often"),
  ]) func causes(_ field: RankUse.Field, _ words: String) {
    var job = MadeJob(ranks: 4)
    job.delay([3], seconds: 1, cause: field)
    #expect(job.bill.text.contains(words), "\(job.bill.text)")
  }

  @Test func unevenShards() {
    var job = MadeJob(ranks: 4)
    job.delay([0], seconds: 1)
    #expect(job.bill.text.contains("it mostly computed\nadvice: compare its processor"), "\(job.bill.text)")
    job.timings.uses[0][.examples] = 32
    #expect(
      job.bill.text.contains("it had 32 examples of a batch, the others 16\nadvice: let --shards"),
      "\(job.bill.text)")
  }

  /// Nothing is said of 24 steps, and nothing of a job of one rank that has its core.
  @Test func tooLittle() {
    var job = MadeJob(ranks: 4)
    job.delay([0], seconds: 1)
    for rank in 0..<4 { job.timings.uses[rank][.steps] = 24 }
    #expect(
      job.bill.text == "time:   too short to tell whether a rank is slow: 24 steps in 10000.0 ms\n")
    #expect(MadeJob(ranks: 1).bill.text.isEmpty)
  }

  @Test func oneRankAlone() {
    var job = MadeJob(ranks: 1)
    job.timings.uses[0][.cpu] = 6
    #expect(job.bill.text.hasPrefix("time:   for 40.0 % of the job the process was not on a core\n"))
    job.timings.ranks[0][Phase.checkpoint.rawValue].seconds = 4
    #expect(job.bill.text.hasPrefix("time:   checkpoints took 40.0 % of the job\n"))
  }

  /// Epochs add up, those of waits by the rank that was waited for.
  @Test func epochsAddUp() {
    var job = MadeJob(ranks: 3)
    job.timings.ranges = [0.1, 0.3, 0.2].map { late in
      (0..<4).map { StepRange(firstStep: $0, lastStep: $0, own: 1, wait: 0, late: $0 == 3 ? 0 : late) }
    }
    var sum = RankTimings(ranks: [])
    sum.add(job.timings)
    sum.add(job.timings)
    #expect(sum.uses.map { $0[.late] } == job.timings.uses.map { 2 * $0[.late] })
    #expect(sum.uses.map { $0[.cores] } == [64, 64, 64])
    #expect(sum.waits[1].map(\.seconds) == job.timings.waits[1].map { 2 * $0.seconds })
    #expect(sum.rangesAsLatest == [0, 6, 0], "where nobody was late, nobody was the latest")
  }
}
