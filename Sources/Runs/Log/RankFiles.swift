// Three files of a run beside timings.csv: who waited for whom, when in an epoch, and what the system gave each rank.
import DistributedSGD
import MPI
import Text

extension RankTimings {
  /// Their first lines, in the order of `RunTables.all`.
  static let headers = [waitsHeader, heatmapHeader, ranksHeader]

  /// An epoch's rows, in the same order.
  func rows(epoch: Int, topology: Topology) -> [String] {
    [waitsCSV(epoch: epoch), heatmapCSV(epoch: epoch), ranksCSV(epoch: epoch, topology: topology)]
  }

  private static let waitsHeader = "epoch,rank,for_rank,count,seconds\n"

  /// A row for every two ranks of which one waited for the other; a rank *for itself*: all had come, and it had no core.
  private func waitsCSV(epoch: Int) -> String {
    var text = ""
    for (rank, waits) in waits.enumerated() {
      for wait in waits.sorted(by: { $0.rank < $1.rank }) {
        text += "\(epoch),\(rank),\(wait.rank),\(wait.count),\(fixed(wait.seconds, 9))\n"
      }
    }
    return text
  }

  private static let heatmapHeader = "epoch,first_step,last_step,rank,own_seconds,wait_seconds\n"

  /// A row for every range of steps and rank. Ranges of less than a millisecond are put together, and of many ranks
  /// more of them: the file shall not take longer than the steps.
  private func heatmapCSV(epoch: Int) -> String {
    guard let first = ranges.first, !first.isEmpty else { return "" }
    let seconds = first.reduce(0) { $0 + $1.own + $1.wait }
    let limit = max(1, min(first.count, Int(seconds * 1e3), 4096 / ranges.count))
    let together = (first.count + limit - 1) / limit
    var text = ""
    text.reserveCapacity(64 * limit * ranges.count)
    for start in stride(from: 0, to: first.count, by: together) {
      for (rank, ranges) in ranges.enumerated() where start < ranges.count {
        let some = ranges[start..<min(start + together, ranges.count)]
        let own = some.reduce(0) { $0 + $1.own }
        let wait = some.reduce(0) { $0 + $1.wait }
        appendNumber(epoch, to: &text)
        appendNumber(some.first!.firstStep, to: &text)
        appendNumber(some.last!.lastStep, to: &text)
        appendNumber(rank, to: &text)
        appendSeconds(own, to: &text)
        text += ","
        appendSeconds(wait, to: &text)
        text += "\n"
      }
    }
    return text
  }

  private static let columns: [(name: String, field: RankUse.Field, isCount: Bool)] = [
    ("wall_seconds", .wall, false), ("cpu_seconds", .cpu, false),
    ("voluntary_switches", .voluntarySwitches, true), ("involuntary_switches", .involuntarySwitches, true),
    ("minor_faults", .minorFaults, true), ("major_faults", .majorFaults, true),
    ("own_seconds", .own, false), ("queued_seconds", .queued, false), ("asleep_seconds", .asleep, false),
    ("steps", .steps, true), ("last_steps", .lastSteps, true), ("late_seconds", .late, false),
    ("late_writing_seconds", .lateWriting, false), ("late_asleep_seconds", .lateAsleep, false),
    ("late_queued_seconds", .lateQueued, false), ("late_other_seconds", .lateOther, false),
    ("waking_seconds", .waking, false), ("network_seconds", .network, false),
    ("peak_rss_bytes", .peakMemory, true),
  ]

  private static let ranksHeader = "epoch,host,rank," + columns.map(\.name).joined(separator: ",") + "\n"

  /// A row for every rank.
  private func ranksCSV(epoch: Int, topology: Topology) -> String {
    var text = ""
    for (rank, use) in uses.enumerated() {
      text += "\(epoch),\(visible(topology.hosts[topology.serverOfRank[rank]])),\(rank)"
      for column in Self.columns {
        text += "," + (column.isCount ? "\(Int(use[column.field]))" : fixed(use[column.field], 9))
      }
      text += "\n"
    }
    return text
  }
}

// Short texts take no memory of their own: a longer epoch, which has more rows, shall not allocate more.

private func appendNumber(_ number: Int, to text: inout String) {
  text += String(number)
  text += ","
}

/// With nine digits behind the point.
private func appendSeconds(_ seconds: Double, to text: inout String) {
  let nanoseconds = UInt64((max(0, seconds) * 1e9).rounded())
  text += String(nanoseconds / 1_000_000_000)
  text += "."
  text += String(nanoseconds % 1_000_000_000 + 1_000_000_000).dropFirst()
}
