// Figures about ranks: bars of phases, heat maps of steps and of waiting, a table of what each used.
import Plot
import Text

enum RankFigures {
  static let barCaption =
    "Work comes first, so that it can be compared; waiting is hollow. evaluate and checkpoint are no part of the training time."

  /// In this order, whatever the file's is; others come behind them.
  private static let order = [
    "load", "forward", "backward", "reduce", "update", "other", "late", "evaluate", "checkpoint",
  ]
  private static let rowLimit = 32

  private static func parts(_ runs: [RunRecord]) -> [StackedBars.Part] {
    var names = order
    for run in runs {
      for phase in run.phases?.phases ?? [] where !names.contains(phase) && phase != "wait" {
        names.append(phase)
      }
    }
    let used = names.filter { name in
      runs.contains { run in
        run.phases.map { phases in phases.ranks.contains { phases.seconds($0, name) > 0 } } ?? false
      }
    }
    return used.map { StackedBars.Part($0) } + [StackedBars.Part("wait", isHollow: true)]
  }

  /// A bar for every rank, or for several neighbours where there are many.
  static func bars(_ run: RunRecord, isNamed: Bool = false) -> StackedBars {
    let phases = run.phases ?? RankPhases()
    let parts = parts([run])
    let ranks = phases.ranks
    let group = max(1, (ranks.count + rowLimit - 1) / rowLimit)
    let hosts = Set(phases.hosts.values)
    let bars = stride(from: 0, to: ranks.count, by: group).map { start in
      let some = Array(ranks[start..<min(start + group, ranks.count)])
      let host = hosts.count > 1 ? phases.hosts[some[0]].map { ", \(printable($0, limit: 16))" } ?? "" : ""
      return StackedBars.Bar(
        label: (group == 1 ? "\(some[0])" : ranges(some)) + host,
        values: parts.map { part in some.reduce(0) { $0 + phases.seconds($1, part.name) } / Double(some.count)
        })
    }
    return StackedBars(
      title: isNamed ? "Time of every rank: \(run.name)" : "Time of every rank",
      xLabel: group == 1
        ? "time by phase, whole run" : "time by phase, whole run, mean of \(group) ranks each",
      yLabel: "rank", parts: parts, bars: bars, format: { duration($0) })
  }

  /// A bar for every run: means over its ranks.
  static func meanBars(_ runs: [RunRecord]) -> StackedBars {
    let parts = parts(runs)
    return StackedBars(
      title: "Time of a rank, mean over ranks", xLabel: "time by phase, whole run", yLabel: "", parts: parts,
      bars: runs.map { run in
        let phases = run.phases ?? RankPhases()
        let ranks = phases.ranks
        return StackedBars.Bar(
          label: run.name,
          values: parts.map { part in
            ranks.reduce(0) { $0 + phases.seconds($1, part.name) } / Double(max(ranks.count, 1))
          })
      }, format: { duration($0) })
  }

  private static func rankName(_ numbers: ClosedRange<Int>) -> String {
    numbers.count == 1 ? "\(numbers.lowerBound)" : "\(numbers.lowerBound)–\(numbers.upperBound)"
  }

  /// Own time of every rank in every range of steps.
  static func heat(_ run: RunRecord, isNamed: Bool) -> HeatMap? {
    guard let heat = run.heat, heat.columnCount > 0 else { return nil }
    let rows = heat.sums.indices.map { rankName(heat.rowNumbers($0)) }
    let columns = (0..<heat.columnCount).map { "\(heat.columnNumbers($0).lowerBound + 1)" }
    let cells = heat.sums.indices.map { row in
      (0..<heat.columnCount).map { column in
        let sum = heat[row, column]
        guard sum.count > 0 else { return HeatMap.Cell(nil, told: "") }
        let (own, wait) = (sum.first / sum.count, sum.second / sum.count)
        let steps = heat.columnNumbers(column)
        return HeatMap.Cell(
          own, text: duration(own),
          told:
            "rank \(rows[row]), steps \(steps.lowerBound + 1)–\(steps.upperBound + 1): \(duration(own)) a step of its own, \(duration(wait)) waiting"
        )
      }
    }
    // One step that took very long would leave no shades for the others.
    let times = cells.joined().compactMap(\.value).sorted()
    let usual = times.isEmpty ? 0 : times[(times.count - 1) * 98 / 100]
    return HeatMap(
      title: "Own time by rank and step" + (isNamed ? ": \(run.name)" : ""), xLabel: "step", yLabel: "rank",
      legend: "own time of a step", rows: rows, columns: columns, cells: cells,
      most: usual > 0 && usual < 0.5 * (times.last ?? 0) ? usual : nil, format: { duration($0) })
  }

  /// Who waited for whom.
  static func waits(_ run: RunRecord, isNamed: Bool) -> HeatMap? {
    guard let waits = run.waits, waits.columnCount > 0 else { return nil }
    let last = max(waits.lastRow, waits.lastColumn, (run.setting("ranks")?.count ?? 1) - 1)
    // Both sides list all ranks: one that never waited, or was never waited for, says so by being empty.
    let stride = max(waits.rowStride, waits.columnStride)
    var square = waits
    square.widenColumns(to: stride)
    square.widenRows(to: stride)
    let count = min(last / stride + 1, 64)
    let names = (0..<count).map { rankName($0 * stride...min($0 * stride + stride - 1, last)) }
    let cells = (0..<count).map { row in
      (0..<count).map { column in
        let sum = square[row, column]
        guard sum.first > 0 else { return HeatMap.Cell(nil, told: "") }
        return HeatMap.Cell(
          sum.first, text: duration(sum.first),
          told:
            "rank \(names[row]) waited \(duration(sum.first)) for rank \(names[column]), \(shortNumber(sum.second)) times"
        )
      }
    }
    return HeatMap(
      title: "Who waited for whom" + (isNamed ? ": \(run.name)" : ""), xLabel: "for rank", yLabel: "rank",
      legend: "time of waiting, whole run; on the diagonal, for a core of its own", rows: names,
      columns: names, cells: cells,
      labelsEveryColumn: true,
      format: { duration($0) })
  }

  /// ranks.csv as a table.
  static func use(_ run: RunRecord) -> HTMLPage.Block? {
    guard let use = run.use else { return nil }
    let ranks = use.sums.keys.sorted()
    let titles = use.columns.map { $0.replacing("_", with: " ").replacing(" seconds", with: "") }
    let rows = ranks.prefix(256).map { rank in
      ["\(rank)", use.hosts[rank].map { printable($0) } ?? "–"]
        + zip(use.columns, use.sums[rank] ?? []).map { name, value in
          name.hasSuffix("_seconds") ? duration(value) : shortNumber(value)
        }
    }
    return .table(header: ["rank", "host"] + titles, rows: rows)
  }
}
