// What a rank tells rank 0 at an epoch's end, as numbers: as many from every rank.
import DistributedSGD

struct RankMessage {
  var phases: [PhaseSummary]
  var use: RankUse
  var waits: [WaitForRank]
  var ranges: [StepRange]

  private static let rangeLimit = 64

  init(phases: [PhaseSummary], use: RankUse, waits: [WaitForRank], ranges: [StepRange]) {
    (self.phases, self.use, self.waits, self.ranges) = (phases, use, waits, ranges)
  }

  /// - Parameter waits: room for as many.
  func numbers(waits limit: Int) -> [Double] {
    var numbers: [Double] = []
    for row in phases { numbers += [Double(row.count), row.seconds, row.p50, row.p99, row.maximum] }
    numbers += use.values
    numbers.append(Double(ranges.count))
    for index in 0..<Self.rangeLimit {
      let range = index < ranges.count ? ranges[index] : StepRange(firstStep: 0, lastStep: 0, own: 0, wait: 0)
      numbers += [Double(range.firstStep), Double(range.lastStep), range.own, range.wait, range.late]
    }
    numbers.append(Double(waits.count))
    for index in 0..<limit {
      let wait = index < waits.count ? waits[index] : WaitForRank(rank: 0, count: 0, seconds: 0)
      numbers += [Double(wait.rank), Double(wait.count), wait.seconds]
    }
    return numbers
  }

  init(_ numbers: [Double]) {
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
    ranges = (0..<Self.rangeLimit).map { _ in
      let row = take(5)
      return StepRange(
        firstStep: Int(row[0]), lastStep: Int(row[1]), own: row[2], wait: row[3], late: row[4])
    }
    ranges.removeLast(Self.rangeLimit - rangeCount)
    let waitCount = Int(take(1)[0])
    waits = (0..<rest.count / 3).map { _ in
      let row = take(3)
      return WaitForRank(rank: Int(row[0]), count: Int(row[1]), seconds: row[2])
    }
    waits.removeLast(waits.count - waitCount)
  }
}
