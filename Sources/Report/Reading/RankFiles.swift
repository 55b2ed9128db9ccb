// The files of a run that tell of its ranks: timings.csv, heatmap.csv, waits.csv and ranks.csv. Any of them may be missing,
// and a job that still runs may be in the middle of a line.
import System
import Text

extension RunRecord {
  /// Reads those that lie beside the metrics.
  /// - Throws: `DistsgdError` (`inputOutput`, `badData`), with file and line.
  mutating func readRankFiles() throws {
    func file(_ name: String) throws -> CSVFile? {
      let path = beside(metricsPath, name)
      guard pathKind(path) == .file else { return nil }
      let file = try CSVFile(path)
      return file.header.isEmpty ? nil : file
    }
    if let file = try file("timings.csv") { try readTimings(file) }
    if let file = try file("heatmap.csv") { try readHeat(file) }
    if let file = try file("waits.csv") { try readWaits(file) }
    if let file = try file("ranks.csv") { try readUse(file) }
  }

  private static let rankLimit = 1 << 16

  private static func rank(_ row: CSVRow, _ column: Int, _ name: String) throws -> Int {
    let rank = try row.count(column, name)
    guard rank < rankLimit else { throw row.fail("rank \(rank); a job has fewer than \(rankLimit) ranks") }
    return rank
  }

  private mutating func readTimings(_ file: CSVFile) throws {
    let columns = try file.columns("epoch", "host", "rank", "phase", "seconds")
    var phases = RankPhases()
    try file.forEachRow { row in
      let epoch = try row.count(columns[0], "epoch")
      let rank = try Self.rank(row, columns[2], "rank")
      let phase = String(row.fields[columns[3]])
      let seconds = try row.number(columns[4], "seconds")
      let column = phases.phases.firstIndex(of: phase) ?? phases.phases.count
      if column == phases.phases.count {
        guard column < 32 else { throw row.fail("there are more than 32 phases") }
        phases.phases.append(printable(phase))
      }
      phases.hosts[rank] = String(row.fields[columns[1]])
      var sums = phases.seconds[rank] ?? []
      while sums.count <= column { sums.append(0) }
      sums[column] += seconds
      phases.seconds[rank] = sums
      if phase != "evaluate" { epochs.add(seconds, waiting: phase == "wait" ? seconds : 0, epoch: epoch) }
    }
    if !phases.seconds.isEmpty { self.phases = phases }
  }

  private mutating func readHeat(_ file: CSVFile) throws {
    let columns = try file.columns("first_step", "last_step", "rank", "own_seconds", "wait_seconds")
    var heat = Lanes(rows: 64, columns: 64)
    try file.forEachRow { row in
      let first = try row.count(columns[0], "first_step")
      let last = try row.count(columns[1], "last_step")
      guard first <= last else { throw row.fail("first_step is greater than last_step") }
      let rank = try Self.rank(row, columns[2], "rank")
      let steps = last - first + 1
      heat.widenColumns(to: steps)
      // Steps are counted from 1.
      heat.add(
        try row.number(columns[3], "own_seconds"), try row.number(columns[4], "wait_seconds"),
        count: Double(steps), row: rank, column: max(first + (last - first) / 2 - 1, 0))
    }
    if !heat.sums.isEmpty { self.heat = heat }
  }

  private mutating func readWaits(_ file: CSVFile) throws {
    let columns = try file.columns("rank", "for_rank", "count", "seconds")
    var waits = Lanes(rows: 32, columns: 32)
    try file.forEachRow { row in
      waits.add(
        try row.number(columns[3], "seconds"), try row.number(columns[2], "count"),
        row: try Self.rank(row, columns[0], "rank"), column: try Self.rank(row, columns[1], "for_rank"))
    }
    if !waits.sums.isEmpty { self.waits = waits }
  }

  private mutating func readUse(_ file: CSVFile) throws {
    let columns = try file.columns("host", "rank")
    let counted = file.header.indices.filter { !columns.contains($0) && file.header[$0] != "epoch" }.prefix(
      32)
    var use = RankUse()
    use.columns = counted.map { file.header[$0] }
    try file.forEachRow { row in
      let rank = try Self.rank(row, columns[1], "rank")
      use.hosts[rank] = String(row.fields[columns[0]])
      var sums = use.sums[rank] ?? Array(repeating: 0, count: counted.count)
      for (place, column) in counted.enumerated() {
        sums[place] += try row.number(column, file.header[column])
      }
      use.sums[rank] = sums
    }
    if !use.sums.isEmpty { self.use = use }
  }
}
