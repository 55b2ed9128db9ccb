// What a rank tells rank 0 at an epoch's end, as numbers: as many from every rank, and fewer where there are many ranks.
import DistributedSGD

/// However many steps an epoch has: less than 5 kB from each of up to 64 ranks, 1.1 kB from each of 512 and more.
package struct RankMessage {
  package var phases: [PhaseSummary]
  package var use: RankUse
  package var waits: [WaitForRank]
  package var ranges: [StepRange]

  /// How much of what grows with steps or ranks is told.
  package struct Limits {
    /// Of how many others it is told at most that a rank waited for them: all of 64, and some of more.
    package let waits: Int
    /// Ranges of steps.
    package let ranges: Int

    package init(worldSize: Int) {
      waits = min(worldSize, max(8, 4096 / worldSize))
      ranges = max(8, min(64, 4096 / worldSize))
    }
  }

  package init(phases: [PhaseSummary], use: RankUse, waits: [WaitForRank], ranges: [StepRange]) {
    (self.phases, self.use, self.waits, self.ranges) = (phases, use, waits, ranges)
  }

  /// Neighbouring ranges as one, so that there are no more than `limit`.
  private static func joined(_ ranges: [StepRange], limit: Int) -> [StepRange] {
    let together = max(1, (ranges.count + limit - 1) / limit)
    return stride(from: 0, to: ranges.count, by: together).map { start in
      let some = ranges[start..<min(start + together, ranges.count)]
      return StepRange(
        firstStep: some.first!.firstStep, lastStep: some.last!.lastStep,
        own: some.reduce(0) { $0 + $1.own }, wait: some.reduce(0) { $0 + $1.wait },
        late: some.reduce(0) { $0 + $1.late })
    }
  }

  /// As many for all that have the same limits.
  package func numbers(_ limits: Limits) -> [Double] {
    let ranges = Self.joined(ranges, limit: limits.ranges)
    var numbers: [Double] = []
    for row in phases { numbers += [Double(row.count), row.seconds, row.p50, row.p99, row.maximum] }
    numbers += use.values
    numbers.append(Double(ranges.count))
    for index in 0..<limits.ranges {
      let range = index < ranges.count ? ranges[index] : StepRange(firstStep: 0, lastStep: 0, own: 0, wait: 0)
      numbers += [Double(range.firstStep), Double(range.lastStep), range.own, range.wait, range.late]
    }
    numbers.append(Double(waits.count))
    for index in 0..<limits.waits {
      let wait = index < waits.count ? waits[index] : WaitForRank(rank: 0, count: 0, seconds: 0)
      numbers += [Double(wait.rank), Double(wait.count), wait.seconds]
    }
    return numbers
  }

  package init(_ numbers: [Double], _ limits: Limits) {
    var rest = numbers[...]
    func take(_ count: Int) -> [Double] {
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    phases = Phase.allCases.map { _ in
      let row = take(5)
      return PhaseSummary(count: Int(row[0]), seconds: row[1], p50: row[2], p99: row[3], maximum: row[4])
    }
    use = RankUse(values: take(RankUse.Field.allCases.count))
    let rangeCount = Int(take(1)[0])
    ranges = (0..<limits.ranges).map { _ in
      let row = take(5)
      return StepRange(
        firstStep: Int(row[0]), lastStep: Int(row[1]), own: row[2], wait: row[3], late: row[4])
    }
    ranges.removeLast(limits.ranges - rangeCount)
    let waitCount = Int(take(1)[0])
    waits = (0..<limits.waits).map { _ in
      let row = take(3)
      return WaitForRank(rank: Int(row[0]), count: Int(row[1]), seconds: row[2])
    }
    waits.removeLast(limits.waits - waitCount)
  }
}
