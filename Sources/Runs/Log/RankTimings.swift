// Timings of all ranks: collected at an epoch's end, written as CSV, shown as a table.
import DistributedSGD
import MPI
import System
import Text

/// The phases of every rank over one epoch or a whole run, and who waited for whom; rank 0 has them all.
package struct RankTimings: Sendable {
  /// Shape (worldSize), each with a row for every phase.
  package var ranks: [[PhaseSummary]]
  /// What each rank used, and what it cost the others.
  package var uses: [RankUse] = []
  /// For whom each rank waited: of many ranks, those with most seconds.
  package var waits: [[WaitForRank]] = []
  /// Where in the epoch each rank waited.
  package var ranges: [[StepRange]] = []
  /// In how many ranges of steps, of all epochs that were added, each rank was later than any other.
  package var rangesAsLatest: [Int] = []

  package init(ranks: [[PhaseSummary]]) { self.ranks = ranks }

  /// Collects what every rank has measured since its clock's last reset, and resets it. Collective.
  /// - Parameter fill: completes what this rank used.
  /// - Returns: on rank 0 the timings of all, else none.
  package static func collect(
    _ clock: PhaseClock, over communicator: any Communicator, _ fill: (inout RankUse) -> Void = { _ in }
  ) throws(MPIError) -> RankTimings {
    var use = clock.use
    use[.peakMemory] = Double(peakResidentBytes())
    fill(&use)
    let limits = RankMessage.Limits(worldSize: communicator.worldSize)
    let message = RankMessage(
      phases: clock.summary(), use: use, waits: clock.waits(limit: limits.waits), ranges: clock.takeRanges())
    clock.reset()
    let numbers = message.numbers(limits)
    let all = try communicator.gather(numbers)
    let messages = stride(from: 0, to: all.count, by: numbers.count).map {
      RankMessage(Array(all[$0..<$0 + numbers.count]), limits)
    }
    var timings = RankTimings(ranks: messages.map(\.phases))
    timings.uses = messages.map(\.use)
    timings.waits = messages.map(\.waits)
    timings.ranges = messages.map(\.ranges)
    return timings
  }

  /// Adds another epoch's seconds, which is all that `table` shows; a sum has no percentiles.
  package mutating func add(_ other: RankTimings) {
    if ranks.isEmpty { ranks = other.ranks.map { $0.map { _ in PhaseSummary() } } }
    for rank in ranks.indices {
      for phase in ranks[rank].indices { ranks[rank][phase].seconds += other.ranks[rank][phase].seconds }
    }
    if uses.isEmpty {
      uses = other.uses
    } else {
      for rank in uses.indices { uses[rank].add(other.uses[rank]) }
    }
    if rangesAsLatest.isEmpty { rangesAsLatest = other.ranks.map { _ in 0 } }
    for range in 0..<(other.ranges.map(\.count).min() ?? 0) {
      let late = other.ranges.map { $0[range].late }
      if let most = late.max(), most > 0 { rangesAsLatest[late.firstIndex(of: most)!] += 1 }
    }
    if waits.isEmpty { waits = other.waits.map { _ in [] } }
    let limit = RankMessage.Limits(worldSize: ranks.count).waits
    for rank in waits.indices { Self.add(other.waits[rank], to: &waits[rank], limit: limit) }
  }

  /// Of many epochs of many ranks, each of which waits for others in each of them, the longest waits are kept: twice as
  /// many as an epoch tells.
  private static func add(_ others: [WaitForRank], to waits: inout [WaitForRank], limit: Int) {
    for wait in others {
      if let index = waits.firstIndex(where: { $0.rank == wait.rank }) {
        waits[index].count += wait.count
        waits[index].seconds += wait.seconds
      } else {
        waits.append(wait)
      }
    }
    guard waits.count > 2 * limit else { return }
    waits.sort { ($0.seconds, $1.rank) > ($1.seconds, $0.rank) }
    waits.removeLast(waits.count - 2 * limit)
  }

  /// Of every phase the seconds of each rank.
  var secondsOfRanks: [(name: String, seconds: [Double])] {
    Phase.allCases.map { phase in (phase.name, ranks.map { $0[phase.rawValue].seconds }) }
  }

  static let csvHeader = "epoch,host,rank,local_rank,phase,count,seconds,mean_us,p50_us,p99_us,max_us\n"

  /// A row for every rank and phase.
  func csv(epoch: Int, topology: Topology) -> String {
    var text = ""
    for (rank, phases) in ranks.enumerated() {
      let place =
        "\(epoch),\(visible(topology.hosts[topology.serverOfRank[rank]])),\(rank),\(topology.localRank(of: rank))"
      for (phase, row) in zip(Phase.allCases, phases) {
        let microseconds = [row.mean, row.p50, row.p99, row.maximum].map { fixed($0 * 1e6, 3) }
        text += "\(place),\(phase.name),\(row.count),\(fixed(row.seconds, 9)),"
        text += microseconds.joined(separator: ",") + "\n"
      }
    }
    return text
  }

  /// Outside of waits: the ranks with most of it are those that the others wait for.
  private func own(_ rank: Int) -> Double {
    Phase.allCases.reduce(0) { $0 + ($1 == .wait ? 0 : ranks[rank][$1.rawValue].seconds) }
  }

  /// Of more ranks than these not all are shown.
  static let rowLimit = 16

  /// A table with a row for every rank; of many ranks, those that waited least.
  func table(topology: Topology, rowLimit: Int = rowLimit) -> String {
    let slowest = ranks.indices.sorted { (own($0), $1) > (own($1), $0) }
    let shown = ranks.count <= rowLimit ? Array(ranks.indices) : Array(slowest.prefix(rowLimit)).sorted()
    let hosts = topology.hosts.map { visible($0) }
    let hostWidth = max(4, shown.map { hosts[topology.serverOfRank[$0]].count }.max() ?? 4)
    // Few runs write checkpoints.
    let phases = Phase.allCases.filter { phase in
      phase != .checkpoint || ranks.contains { $0[phase.rawValue].seconds > 0 }
    }
    let columns = phases.map(\.name) + ["total"]
    var text = "rank  " + padded("host", hostWidth, left: true)
    text += columns.map { padded($0, $0 == "checkpoint" ? 12 : 10) }.joined() + "   (milliseconds)\n"
    for rank in shown {
      let host = hosts[topology.serverOfRank[rank]]
      let seconds = phases.map { ranks[rank][$0.rawValue].seconds }
      text += padded("\(rank)", 4) + "  " + padded(host, hostWidth, left: true)
      for (name, value) in zip(columns, seconds + [seconds.reduce(0, +)]) {
        text += padded(fixed(value * 1e3, 3), name == "checkpoint" ? 12 : 10)
      }
      text += "\n"
    }
    if shown.count < ranks.count {
      text += "(\(shown.count) of \(ranks.count) ranks, those that waited least; timings.csv has them all)\n"
    }
    return text
  }
}
