// Sweeps and chapters: their trials' curves, the grid as a heat map, and what each came to.
import Plot
import Text

extension RunReport {
  func section(_ record: TrialsRecord) -> HTMLPage.Section {
    let name = printable(record.name)
    var blocks: [HTMLPage.Block] = grids(record)
    let shown = best(record, 12)
    for abscissa in [Abscissa.examples, .seconds] {
      blocks.append(
        .figure(
          curves(shown, record.outcomes.judged, against: abscissa),
          caption: shown.count < record.trials.count && abscissa == .examples
            ? "The \(shown.count) with the lowest loss of \(record.trials.count) runs." : ""))
    }
    blocks.append(table(record))
    return HTMLPage.Section(heading: name, blocks: blocks)
  }

  private func finalLoss(_ trial: TrialRecord) -> Double { trial.curves["loss"]?.last ?? .nan }

  private func best(_ record: TrialsRecord, _ count: Int) -> [TrialRecord] {
    let finite = record.trials.filter { finalLoss($0).isFinite }.map { (finalLoss($0), $0) }
    guard record.trials.count > count else { return record.trials }
    let limit = finite.map(\.0).sorted().prefix(count).last ?? .infinity
    return Array(record.trials.filter { finalLoss($0) <= limit }.prefix(count))
  }

  private func curves(_ trials: [TrialRecord], _ judged: String, against abscissa: Abscissa) -> Plot {
    let series = trials.map { trial in
      Series(
        name: trial.name,
        points: trial.curves["loss"]?.points.map { (x: abscissa.value($0.place), y: $0.mean) } ?? [])
    }
    func isWide(_ values: [Double]) -> Bool {
      let positive = values.filter { $0 > 0 && $0.isFinite }
      guard let least = positive.min(), let most = positive.max() else { return false }
      return most / least > 30
    }
    let points = series.flatMap(\.points)
    // One that diverges would leave no room for the others.
    let finite = points.map(\.y).filter(\.isFinite)
    let first =
      trials.compactMap { $0.curves["loss"]?.points.first?.mean }.filter(\.isFinite).max() ?? .infinity
    let range = finite.min().flatMap { least -> ClosedRange<Double>? in
      guard let most = finite.max(), most > 3 * first, least < 3 * first else { return nil }
      return least > 0 ? 0.95 * least...3 * first : least...3 * first
    }
    return Plot(
      title:
        "\(judged.prefix(1).uppercased() + judged.dropFirst()) against \(abscissa == .seconds ? "time" : "examples")",
      xLabel: abscissa.label,
      yLabel: judged,
      xScale: isWide(points.map(\.x)) ? .logarithmic : .linear,
      yScale: isWide(points.map(\.y)) ? .logarithmic : .linear,
      series: series, yRange: range)
  }

  /// The last loss at every pair of the two settings that vary most.
  private func grids(_ record: TrialsRecord) -> [HTMLPage.Block] {
    let outcomes = record.outcomes
    func values(_ setting: String) -> [String] {
      outcomes.settings.firstIndex(of: setting).map { column in outcomes.trials.map { $0.settings[column] } }
        ?? []
    }
    let varying = outcomes.settings.filter { Set(values($0)).count > 1 }
    guard varying.count >= 2 else { return [] }
    // Seeds are averaged over; batch and rate come first.
    let usual = ["global_batch", "learning_rate"].filter(varying.contains)
    let axes = usual + varying.filter { !usual.contains($0) && $0 != "seed" }
    guard axes.count >= 2 else { return [] }
    let (y, x) = (axes[0], axes[1])
    let (rowValues, columnValues) = (values(y), values(x))
    let (rows, columns) = (ordered(rowValues), ordered(columnValues))
    guard rows.count <= 64, columns.count <= 64, rows.count * columns.count >= 4 else { return [] }
    var isMean = false
    let cells = rows.map { row in
      columns.map { column -> HeatMap.Cell in
        let trials = rowValues.indices.filter { rowValues[$0] == row && columnValues[$0] == column }
        let losses = trials.map { outcomes.trials[$0].loss }.filter(\.isFinite)
        guard !trials.isEmpty, !losses.isEmpty else { return HeatMap.Cell(nil, told: "") }
        if losses.count > 1 { isMean = true }
        let mean = losses.reduce(0, +) / Double(losses.count)
        let place = "\(words(y)) \(row), \(words(x)) \(column)"
        return HeatMap.Cell(
          mean, text: shortNumber(mean),
          told: "\(place): \(outcomes.judged) \(shortNumber(mean))"
            + (losses.count > 1 ? ", mean of \(losses.count)" : ""))
      }
    }
    let values = cells.joined().compactMap(\.value)
    // Trials that lie on a line say nothing as a table.
    guard 2 * rowValues.count >= rows.count * columns.count else { return [] }
    let isWide = (values.min() ?? 0) > 0 && (values.max() ?? 0) > 3 * (values.min() ?? 1)
    let map = HeatMap(
      title: outcomes.judged.prefix(1).uppercased() + outcomes.judged.dropFirst() + " at the end"
        + (isMean ? ", mean where several runs share a cell" : ""), xLabel: words(x),
      yLabel: words(y),
      legend: outcomes.judged, rows: rows, columns: columns, cells: cells,
      scale: isWide ? .logarithmic : .linear,
      startsAtZero: false, most: isWide ? 4 * (values.min() ?? 1) : nil, labelsEveryColumn: true,
      format: { shortNumber($0) })
    return [
      .figure(
        map,
        caption:
          "The lower the better: the lightest cell is the best (in the dark, the darkest). Empty cells have diverged, or were not tried."
      )
    ]
  }

  private func words(_ setting: String) -> String { setting.replacing("_", with: " ") }

  /// Values once each: numbers by size, others as they come.
  private func ordered(_ values: [String]) -> [String] {
    var found: [String] = []
    var seen: Set<String> = []
    for value in values where seen.insert(value).inserted { found.append(value) }
    let numbers = found.map { Double($0) }
    guard numbers.allSatisfy({ $0 != nil }) else { return found }
    return zip(found, numbers).sorted { $0.1! < $1.1! }.map(\.0)
  }

  private func table(_ record: TrialsRecord) -> HTMLPage.Block {
    if let (header, rows) = record.results {
      return .table(
        header: header.map(words), rows: rows.prefix(1000).map { $0.map { cell in shown(cell) } })
    }
    let measures = record.trials.first.map { $0.curves.all.map(\.name) } ?? []
    let header =
      ["run"] + record.settings.map(words) + measures.map { "last " + words($0) } + [
        "lowest loss", "examples", "training time",
      ]
    let rows = record.trials.prefix(1000).map { trial -> [String] in
      let last = trial.curves["loss"]?.points.last?.place
      return [trial.name] + trial.settings + measures.map { shortNumber(trial.curves[$0]?.last ?? .nan) }
        + [
          shortNumber(trial.curves["loss"]?.range?.low ?? .nan), shortNumber(last?.examples ?? .nan),
          duration(last?.seconds ?? -1),
        ]
    }
    return .table(header: header, rows: rows)
  }

  /// A number with the digits that matter; other words as they are.
  private func shown(_ cell: String) -> String {
    guard cell.contains(".") || cell.contains("e"), let number = decimalNumber(cell) else {
      return cell.isEmpty ? "–" : cell
    }
    return shortNumber(number)
  }
}
