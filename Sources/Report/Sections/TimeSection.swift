// Where the time went: phases of every rank, throughput against what it could be, who is late, who waits for whom.
import Plot
import Text

extension RunReport {
  var time: HTMLPage.Section? {
    let timed = runs.filter { $0.phases != nil }
    var blocks: [HTMLPage.Block] = timed.isEmpty ? [] : [.paragraph(timed.map(shares).joined(separator: " "))]
    if timed.count > 1 {
      blocks.append(.figure(RankFigures.meanBars(timed), caption: RankFigures.barCaption))
    } else if let run = timed.first {
      blocks.append(.figure(RankFigures.bars(run), caption: RankFigures.barCaption))
    }
    blocks += throughput
    for run in runs {
      if let map = RankFigures.heat(run, isNamed: runs.count > 1) {
        blocks.append(
          .figure(
            map,
            caption:
              "A rank's own time: all but its waiting. Who is late has a darker row (in the dark, a brighter one); a moment when all were slow is such a column."
          ))
      }
      if let map = RankFigures.waits(run, isNamed: runs.count > 1) {
        blocks.append(
          .figure(
            map,
            caption:
              "How long the rank of a row waited for the rank of a column, which came last. A rank that all wait for has a dark column (in the dark, a bright one)."
          ))
      }
    }
    if timed.count > 1 {
      blocks.append(
        .details(
          summary: "Every rank of every run",
          timed.map { .figure(RankFigures.bars($0, isNamed: true), caption: "") }))
    }
    for run in runs {
      if let table = RankFigures.use(run) {
        blocks.append(
          .details(
            summary: runs.count > 1 ? "What the ranks of \(run.name) used" : "What the ranks used", [table]))
      }
    }
    if let words = missing { blocks.append(.paragraph(words)) }
    guard !blocks.isEmpty else { return nil }
    return HTMLPage.Section(heading: "Where the time went", blocks: blocks)
  }

  /// How much of the ranks' time was work and how much waiting.
  private func shares(_ run: RunRecord) -> String {
    guard let phases = run.phases else { return "" }
    func total(_ names: [String]) -> Double {
      phases.ranks.reduce(0) { sum, rank in names.reduce(sum) { $0 + phases.seconds(rank, $1) } }
    }
    let all = total(phases.phases)
    let parts = [
      (["load", "forward", "backward"], "computing gradients"),
      (["reduce", "update"], "adding them and updating"),
      (["wait"], "waiting"), (["evaluate"], "evaluation"), (["checkpoint"], "checkpoints"),
      (["other"], "all else"),
    ]
    guard all > 0 else { return "" }
    let words = parts.filter { total($0.0) > 5e-4 * all }.map { "\(percent(total($0.0) / all)) \($0.1)" }
    let name = runs.count > 1 ? "\(run.name): of" : "Of"
    return "\(name) the \(counted(phases.ranks.count, "rank"))' time, \(listing(words))."
      .replacing("1 rank' time", with: "rank's time")
  }

  private func listing(_ words: [String]) -> String {
    words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " and " + (words.last ?? "")
  }

  /// Which sections would need files that are not there, in a sentence.
  private var missing: String? {
    let several = runs.filter { ($0.setting("ranks")?.count ?? 1) > 1 }
    var parts: [String] = []
    if runs.contains(where: { $0.phases == nil }) { parts.append("timings.csv (phases of every rank)") }
    if several.contains(where: { $0.heat == nil }) { parts.append("heatmap.csv (rank × step)") }
    if several.contains(where: { $0.waits == nil }) { parts.append("waits.csv (who waited for whom)") }
    guard !parts.isEmpty else { return nil }
    return
      "Not in \(runs.count == 1 ? "this run's folder" : "all of these runs' folders"): \(parts.joined(separator: ", ")). An epoch must have ended, by a version that writes it."
  }

  private var throughput: [HTMLPage.Block] {
    let rates = runs.map { ($0, $0.epochs.throughput) }
    guard rates.contains(where: { $0.1.count > 2 }) else {
      let words = rates.compactMap { run, points -> String? in
        guard let last = points.last else { return nil }
        let ideal = last.ideal.flatMap { $0 > 1.01 * last.measured ? $0 : nil }
        return "\(runs.count > 1 ? run.name + ": " : "")\(grouped(whole(last.measured))) examples/s"
          + (ideal.map { "; \(grouped(whole($0))) if no rank had ever waited" } ?? "")
      }
      return words.isEmpty
        ? [] : [.paragraph("Throughput of the last epoch: \(words.joined(separator: ". ")).")]
    }
    var series: [Series] = []
    for (number, (run, points)) in rates.enumerated() {
      var measured = Series(
        name: runs.count > 1 ? run.name : "measured", points: points.map { (x: $0.epoch, y: $0.measured) })
      measured.look = number
      series.append(measured)
      guard points.contains(where: { ($0.ideal ?? 0) > 1.01 * $0.measured }) else { continue }
      var ideal = Series(
        name: runs.count > 1 ? "\(run.name), without waiting" : "without waiting",
        points: points.map { (x: $0.epoch, y: $0.ideal ?? .nan) }, style: .thinLine)
      ideal.look = number
      series.append(ideal)
    }
    let plot = Plot(
      title: "Throughput", xLabel: "epoch", yLabel: "examples/s", series: series, yStartsAtZero: true)
    return [
      .figure(
        plot,
        caption:
          "Thin line: what the same work would give if it were shared evenly and no rank ever waited for another."
      )
    ]
  }

  private func whole(_ value: Double) -> Int { value < 1e15 ? Int(value) : 0 }
}
