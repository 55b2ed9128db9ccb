// Who cost the job what, in a few lines, and what to change: only where the numbers carry it.
import DistributedSGD
import MPI
import Text

/// What a run's timings say about its ranks.
package struct Bill: Sendable, Equatable {
  /// What kept a late rank, where one thing makes up most of its delay.
  package enum Cause: Sendable, Equatable {
    case writing, asleep, noCore, metrics
    /// It has more examples of a batch than the others.
    case moreExamples(Int, others: Int)
    case computing
  }

  package enum Finding: Sendable, Equatable {
    /// Too little was seen.
    case tooShort(steps: Int, seconds: Double)
    /// These ranks came last in so many steps, and the others' waiting for them took so much of the job.
    case late(ranks: [Int], ofSteps: Double, ofJob: Double, Cause?)
    /// Of the job, messages took so much when all ranks had come.
    case network(ofJob: Double)
    /// Nobody is slow, but there are more ranks than cores.
    case sharedCores(ranks: Int, cores: Int, ofJob: Double)
    /// Nobody is slow. The ranks had no core for so much of the job although they could have gone on.
    case even(ofJob: Double, withoutCore: Double, secondsOfStep: Double)
    /// One rank alone: checkpoints took so much of the job, or it was off its core for so much.
    case checkpoints(ofJob: Double)
    case offCore(ofJob: Double)
  }

  package let findings: [Finding]
  private let hosts: [String]
  private let steps: Int

  /// What is less than this of a job is not worth a line.
  private static let worthTelling = 0.02

  /// - Parameter timings: of the whole run.
  package init(_ timings: RankTimings, _ topology: Topology) {
    hosts = topology.serverOfRank.map { visible(topology.hosts[$0]) }
    let ranks = timings.uses
    steps = Int(ranks.map { $0[.steps] }.max() ?? 0)
    let job = ranks.map { $0[.wall] }.reduce(0, +) / Double(max(1, ranks.count))
    guard ranks.count > 1 else {
      findings = ranks.first.map { Self.findings(of: $0, timings.ranks[0], job: job) } ?? []
      return
    }
    guard steps >= 100, job >= 0.05 else {
      findings = [.tooShort(steps: steps, seconds: job)]
      return
    }
    var findings: [Finding] = []
    let late = Self.late(timings, job: job, steps: Double(steps))
    if let late { findings.append(late) }
    let network = ranks.map { $0[.network] }.reduce(0, +) / Double(ranks.count) / job
    if network >= 0.25 { findings.append(.network(ofJob: network)) }
    if findings.isEmpty {
      let waiting =
        timings.ranks.map { $0[Phase.wait.rawValue].seconds }.reduce(0, +) / Double(ranks.count) / job
      if let (ranks, cores) = Self.crowd(ranks, topology) {
        findings.append(.sharedCores(ranks: ranks, cores: cores, ofJob: waiting))
      } else {
        let withoutCore = ranks.map { $0[.queued] + $0[.waking] }.reduce(0, +) / Double(ranks.count) / job
        findings.append(
          .even(ofJob: waiting, withoutCore: withoutCore, secondsOfStep: job / Double(steps)))
      }
    }
    self.findings = findings
  }

  /// The ranks and cores of the server that has most ranks for each core; nil where every rank has one.
  private static func crowd(_ uses: [RankUse], _ topology: Topology) -> (ranks: Int, cores: Int)? {
    let servers = topology.ranksOfServer.map { ranks in
      // A rank may have been given less than the others.
      (ranks: ranks.count, cores: Int(ranks.map { uses[$0][.cores] }.max() ?? 0))
    }
    return servers.filter { $0.cores > 0 && $0.ranks > $0.cores }.max {
      $0.ranks * $1.cores < $1.ranks * $0.cores
    }
  }

  private static func findings(of rank: RankUse, _ phases: [PhaseSummary], job: Double) -> [Finding] {
    guard job >= 0.05 else { return [] }
    let checkpoints = phases[Phase.checkpoint.rawValue].seconds / job
    let offCore = 1 - rank[.cpu] / job - checkpoints
    return (checkpoints >= 0.05 ? [.checkpoints(ofJob: checkpoints)] : [])
      + (offCore >= 0.1 ? [.offCore(ofJob: offCore)] : [])
  }

  // MARK: Who is late

  /// The rank, or the few of them, for whom the others wait: not by chance, and longer than is not worth telling.
  private static func late(_ timings: RankTimings, job: Double, steps: Double) -> Finding? {
    let ranks = timings.uses
    if let writer = ranks.indices.max(by: { ranks[$0][.lateWriting] < ranks[$1][.lateWriting] }),
      ranks[writer][.lateWriting] >= worthTelling * job,
      2 * ranks[writer][.lateWriting] > ranks[writer][.late]
    {
      return .late(
        ranks: [writer], ofSteps: ranks[writer][.lastSteps] / steps, ofJob: ranks[writer][.late] / job,
        .writing)
    }
    let group = group(timings)
    guard !group.isEmpty else { return nil }
    let isInGroup = Set(group)
    let others = ranks.indices.filter { !isInGroup.contains($0) }
    func share(_ field: RankUse.Field, of all: Double) -> Double {
      group.map { ranks[$0][field] }.reduce(0, +) / all
    }
    // By chance each rank is late now and then; with more of them than cores, in bursts. Who is slow has most of all
    // delays, and that from the beginning to the end.
    let late = share(.late, of: ranks.map { $0[.late] }.reduce(0, +))
    let ranges = timings.rangesAsLatest.reduce(0, +)
    let asLatest =
      Double(group.map { timings.rangesAsLatest[$0] }.reduce(0, +)) / Double(max(1, ranges))
    let chance = Double(group.count) / Double(ranks.count)
    // Where other programs take the cores, chance lasts longer: who was late for want of a core must stand out more
    // than one who slept or computed, which is its own doing.
    let ownDoing = ranks.map { $0[.late] - $0[.lateQueued] }
    let own = group.map { ownDoing[$0] }.reduce(0, +)
    let isOwnDoing = own >= worthTelling * job && own >= 0.8 * ownDoing.reduce(0, +)
    guard ranges >= 8, late >= max(isOwnDoing ? 0.5 : 0.7, chance + (isOwnDoing ? 0.2 : 0.35)),
      asLatest >= max(isOwnDoing ? 0.55 : 0.7, chance + (isOwnDoing ? 0.25 : 0.35))
    else { return nil }
    let ofJob: Double
    if group.count == 1 {
      ofJob = ranks[group[0]][.late] / job
    } else {
      ofJob =
        others.map { timings.waits[$0].filter { isInGroup.contains($0.rank) }.reduce(0) { $0 + $1.seconds } }
        .reduce(0, +) / Double(others.count) / job
    }
    guard ofJob >= worthTelling else { return nil }
    return .late(
      ranks: group, ofSteps: share(.lastSteps, of: steps), ofJob: ofJob, cause(group, others, ranks))
  }

  /// The rank that was waited for most, and those that were half as much; none where these are more than half of the
  /// ranks.
  private static func group(_ timings: RankTimings) -> [Int] {
    let count = timings.uses.count
    var waitedFor = [Double](repeating: 0, count: count)
    for (rank, waits) in timings.waits.enumerated() {
      for wait in waits where wait.rank != rank { waitedFor[wait.rank] += wait.seconds }
    }
    guard let most = waitedFor.max(), most > 0 else { return [] }
    let group = waitedFor.indices.filter { waitedFor[$0] >= most / 2 }
    return group.count <= max(1, count / 2) ? group : []
  }

  private static func cause(_ group: [Int], _ others: [Int], _ ranks: [RankUse]) -> Cause? {
    func total(_ field: RankUse.Field) -> Double { group.map { ranks[$0][field] }.reduce(0, +) }
    let late = total(.late)
    let parts: [(Cause, Double)] = [
      (.writing, total(.lateWriting)), (.asleep, total(.lateAsleep)), (.noCore, total(.lateQueued)),
      (.metrics, total(.lateOther)),
    ]
    if let most = parts.first(where: { $0.1 > late / 2 }) { return most.0 }
    guard late - parts.map(\.1).reduce(0, +) > late / 2 else { return nil }
    let own = group.map { Int(ranks[$0][.examples]) }.min() ?? 0
    let most = others.map { Int(ranks[$0][.examples]) }.max() ?? 0
    return own > most ? .moreExamples(own, others: most) : .computing
  }

  // MARK: Words

  /// Lines for people.
  package var text: String {
    findings.map { "time:   \(words($0))\n" + (advice($0).map { "advice: \($0)\n" } ?? "") }.joined()
  }

  private func percent(_ share: Double) -> String { "\(fixed(100 * share, 1)) %" }

  private func words(_ finding: Finding) -> String {
    switch finding {
    case .tooShort(let steps, let seconds):
      return
        "too short to tell whether a rank is slow: \(counted(steps, "step")) in \(fixed(1e3 * seconds, 1)) ms"
    case .late(let ranks, let ofSteps, let ofJob, let cause):
      let isOne = ranks.count == 1
      let places = Set(ranks.map { hosts[$0] })
      let who =
        (isOne ? "rank \(ranks[0])" : "ranks \(ranks.map(String.init).joined(separator: ", "))")
        + (places.count == 1 ? " on \(places.first!)" : "")
      return
        "\(who) \(isOne ? "was" : "were") last in \(fixed(100 * ofSteps, 0)) % of \(counted(steps, "step")); waiting for \(isOne ? "it" : "them") took \(percent(ofJob)) of the job\(cause.map { words($0, isOne) } ?? "")"
    case .network(let ofJob): return "\(percent(ofJob)) of the time went into the network"
    case .sharedCores(let ranks, let cores, let ofJob):
      return
        "no rank is slow: \(counted(ranks, "rank")) share \(counted(cores, "core")), and waiting took \(percent(ofJob)) of the job"
    case .even(let ofJob, let withoutCore, _):
      return "no rank is slow; waiting took \(percent(ofJob)) of the job"
        + (withoutCore >= 0.1 ? ", and the ranks had no core for \(percent(withoutCore)) of it" : "")
    case .checkpoints(let ofJob): return "checkpoints took \(percent(ofJob)) of the job"
    case .offCore(let ofJob): return "for \(percent(ofJob)) of the job the process was not on a core"
    }
  }

  private func words(_ cause: Cause, _ isOne: Bool) -> String {
    let it = isOne ? "it" : "they"
    return switch cause {
    case .writing: "; \(it) wrote checkpoints"
    case .asleep: "; \(it) mostly slept"
    case .noCore: "; \(it) mostly had no core"
    case .metrics: "; \(it) did other things than training"
    case .moreExamples(let own, let others): "; \(it) had \(own) examples of a batch, the others \(others)"
    case .computing: "; \(it) mostly computed"
    }
  }

  private func advice(_ finding: Finding) -> String? {
    switch finding {
    case .late(_, _, _, let cause):
      switch cause {
      case .writing: "write checkpoints less often (--checkpoint-every), or to a faster disk"
      case .asleep: "see what it waits for outside of the job: a slow disk, memory that is swapped out"
      case .noCore:
        "give every rank a core of its own: --bind core, fewer ranks, and no other programs on its cores"
      case .metrics: "tell less often, by --log-every, or let the hooks do less"
      case .moreExamples: "let --shards and --global-batch be multiples of the number of ranks"
      case .computing: "compare its processor with the others': clock, heat, other programs, binding"
      case nil: nil
      }
    case .network: "a larger --global-batch sends the same bytes less often; fewer servers send less"
    case .sharedCores(_, let cores, _):
      "start \(counted(cores, "rank")) a server: more take turns on the same cores"
    case .even(let ofJob, let withoutCore, let secondsOfStep):
      if withoutCore >= 0.1 {
        "other programs use the cores, or --threads is too large"
      } else if ofJob >= 0.2, secondsOfStep < 2e-4 {
        "steps are short: a larger --global-batch, or fewer ranks, would wait less"
      } else {
        nil
      }
    case .checkpoints: "write them less often (--checkpoint-every), or to a faster disk"
    case .offCore: "other programs use its cores, or it reads from a slow disk"
    case .tooShort: nil
    }
  }
}
