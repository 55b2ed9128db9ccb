// Timings of all ranks: collected at an epoch's end, written as CSV, shown as a table.
import DistributedSGD
import MPI
import Text

/// The phases of every rank over one epoch or a whole run; rank 0 has them all.
package struct RankTimings: Sendable {
  /// Shape (worldSize), each with a row for every phase.
  package var ranks: [[PhaseSummary]]

  package init(ranks: [[PhaseSummary]]) { self.ranks = ranks }

  /// Collects what every rank has measured since its clock's last reset, and resets it. Collective.
  /// - Returns: on rank 0 the timings of all, else none.
  package static func collect(_ clock: PhaseClock, over communicator: any Communicator) throws(MPIError)
    -> RankTimings
  {
    let fields = 5
    var own: [Double] = []
    for row in clock.summary() { own += [Double(row.count), row.seconds, row.p50, row.p99, row.maximum] }
    clock.reset()
    let all = try communicator.gather(own)
    let phases = Phase.allCases.count
    var rows: [PhaseSummary] = []
    for start in stride(from: 0, to: all.count, by: fields) {
      rows.append(
        PhaseSummary(
          count: Int(all[start]), seconds: all[start + 1], p50: all[start + 2], p99: all[start + 3],
          maximum: all[start + 4]))
    }
    return RankTimings(
      ranks: stride(from: 0, to: rows.count, by: phases).map { Array(rows[$0..<$0 + phases]) })
  }

  /// Adds another epoch's seconds, which is all that `table` shows; a sum has no percentiles.
  package mutating func add(_ other: RankTimings) {
    if ranks.isEmpty { ranks = other.ranks.map { $0.map { _ in PhaseSummary() } } }
    for rank in ranks.indices {
      for phase in ranks[rank].indices { ranks[rank][phase].seconds += other.ranks[rank][phase].seconds }
    }
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

  /// Seconds in which a rank did work of its own: the slowest rank is the one the others wait for.
  private func work(_ rank: Int) -> Double {
    [Phase.load, .forward, .backward].reduce(0) { $0 + ranks[rank][$1.rawValue].seconds }
  }

  /// A table with a row for every rank (of many ranks, the slowest), and the slowest rank by name.
  func table(topology: Topology, rowLimit: Int = 16) -> String {
    let slowest = ranks.indices.sorted { (work($0), $1) > (work($1), $0) }
    let shown = ranks.count <= rowLimit ? Array(ranks.indices) : Array(slowest.prefix(rowLimit)).sorted()
    let hosts = topology.hosts.map { visible($0) }
    let hostWidth = max(4, shown.map { hosts[topology.serverOfRank[$0]].count }.max() ?? 4)
    let columns = Phase.allCases.map(\.name) + ["total"]
    var text = "rank  " + padded("host", hostWidth, left: true)
    text += columns.map { padded($0, 10) }.joined() + "   (milliseconds)\n"
    for rank in shown {
      let host = hosts[topology.serverOfRank[rank]]
      let seconds = ranks[rank].map(\.seconds)
      text += padded("\(rank)", 4) + "  " + padded(host, hostWidth, left: true)
      text += (seconds + [seconds.reduce(0, +)]).map { padded(fixed($0 * 1e3, 3), 10) }.joined() + "\n"
    }
    if shown.count < ranks.count {
      text += "(\(shown.count) of \(ranks.count) ranks, the slowest; timings.csv has them all)\n"
    }
    if ranks.count > 1, let rank = slowest.first {
      let median = work(slowest[ranks.count / 2])
      let host = hosts[topology.serverOfRank[rank]]
      let factor = median > 0 ? fixed(work(rank) / median, 2) : "1.00"
      text +=
        "slowest rank: \(rank) on \(host), \(fixed(work(rank) * 1e3, 3)) ms of work, \(factor) × the median\n"
    }
    return text
  }
}
