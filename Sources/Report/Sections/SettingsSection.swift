// What the runs were, and what came of them: results, settings (what differs first), and where the ranks were.
import Plot
import Text

extension RunReport {
  var results: HTMLPage.Section {
    var header = ["run", "state", "epochs", "loss"]
    let measures = ["accuracy", "rmse", "r2"].filter { name in
      runs.contains { $0.bestKnown(name) != nil }
    }
    let hasValidation = runs.contains { run in run.evaluations.contains { $0.set == "validation" } }
    if hasValidation { header += ["validation loss", "best"] }
    header += measures.map { RunFigures.label($0, isAxis: true) + (hasValidation ? " (validation)" : "") }
    header += ["training time", "sec/epoch", "examples/s", "parameter hash"]
    let rows = runs.map { run in
      var row = [run.name, run.state, run.epochsDone, shortNumber(run.finalLoss ?? .nan)]
      if hasValidation {
        let curve = run.evaluations.first { $0.set == "validation" }?.curves["loss"]
        row += [shortNumber(curve?.last ?? .nan), shortNumber(curve?.range?.low ?? .nan)]
      }
      row += measures.map { shortNumber(run.bestKnown($0) ?? .nan) }
      let seconds = run.trainingSeconds
      row += [
        seconds.map(duration) ?? "–",
        run.atEnd("secondsPerEpoch")?.number.map { readableSeconds($0) } ?? "–",
        run.examplesPerSecond.map { grouped(Int($0)) } ?? "–",
        run.atEnd("parameterHash")?.string.map { printable($0) } ?? "–",
      ]
      return row
    }
    var blocks = [HTMLPage.Block.table(header: header, rows: rows)]
    for run in runs where run.settings.isEmpty {
      blocks.append(
        .paragraph("\(run.name): its metrics.jsonl has no run event yet, with which every run begins."))
    }
    return HTMLPage.Section(heading: runs.count == 1 ? "Result" : "Results", blocks: blocks)
  }

  /// Told apart in every run, or of the moment and not of the run.
  private static let ownOfEachRun: Set<String> = ["id", "date", "commandLine"]

  var settings: HTMLPage.Section? {
    var names: [String] = []
    for run in runs { for (name, _) in run.settings where !names.contains(name) { names.append(name) } }
    guard !names.isEmpty else { return nil }
    func words(_ run: RunRecord, _ name: String) -> String { run.setting(name)?.words ?? "–" }
    var blocks: [HTMLPage.Block] = []
    if runs.count > 1 {
      let different = names.filter { name in
        !Self.ownOfEachRun.contains(name) && Set(runs.map { words($0, name) }).count > 1
      }
      if different.isEmpty {
        blocks.append(.paragraph("All settings are the same."))
      } else {
        blocks.append(.paragraph("What differs:"))
        blocks.append(
          .table(
            header: ["run"] + different.map { printable($0) },
            rows: runs.map { run in [run.name] + different.map { words(run, $0) } }))
      }
    }
    let common = ["data", "model", "optimizer", "learningRate", "schedule", "globalBatch", "epochs", "seed"]
    if runs.count == 1 {
      let shown = common.filter { names.contains($0) }
      blocks.append(.table(header: shown, rows: [shown.map { words(runs[0], $0) }]))
    }
    for run in runs {
      guard let line = run.setting("commandLine")?.array else { continue }
      blocks.append(
        .preformatted(line.map { $0.string ?? $0.words }.map { quoted($0) }.joined(separator: " ")))
    }
    blocks.append(
      .details(
        summary: "All settings",
        [
          .table(
            header: ["setting"] + runs.map(\.name),
            rows: names.map { name in [printable(name)] + runs.map { words($0, name) } })
        ]))
    return HTMLPage.Section(heading: "Settings", blocks: blocks)
  }

  var topology: HTMLPage.Section? {
    let told = runs.filter { $0.setting("ranks") != nil }
    guard !told.isEmpty else { return nil }
    var header = [
      "run", "ranks", "servers", "shards", "batch", "threads a rank", "cores", "bound by", "arithmetic",
    ]
    var rows = told.map { run in
      [run.name]
        + ["ranks", "servers", "shards"].map { run.setting($0)?.words ?? "–" }
        + [
          run.setting("batchArithmetic")?.string.map { printable($0, limit: 100) } ?? "–",
          run.setting("threads")?.words ?? "–", run.setting("cores")?.words ?? "–",
          run.setting("binding")?.words ?? "–", run.arithmeticWords,
        ]
    }
    if runs.count == 1 {
      header.removeFirst()
      rows = rows.map { Array($0.dropFirst()) }
    }
    var blocks = [HTMLPage.Block.table(header: header, rows: rows)]
    let hosts = told.flatMap { run in run.hostRows.map { (told.count > 1 ? [run.name] : []) + $0 } }
    if !hosts.isEmpty {
      blocks.append(
        .table(header: (told.count > 1 ? ["run"] : []) + ["server", "ranks", "their numbers"], rows: hosts))
    }
    return HTMLPage.Section(heading: "Topology", blocks: blocks)
  }
}

/// A word as a shell would take it.
private func quoted(_ word: String) -> String {
  let plain =
    !word.isEmpty
    && word.unicodeScalars.allSatisfy { scalar in
      scalar.properties.isAlphabetic || "0"..."9" ~= scalar || "-_=./:,+%@".unicodeScalars.contains(scalar)
    }
  return plain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
}

extension RunRecord {
  var state: String {
    guard end == nil else {
      if case .bool(true)? = atEnd("stoppedEarly") { return "ended early" }
      return "ended"
    }
    return last.step.isNaN ? "no step yet" : "at step \(shortNumber(last.step)): running, or stopped"
  }

  var epochsDone: String {
    let epoch = evaluations.compactMap { $0.curves.all.first?.curve.points.last?.place.epoch }.max() ?? .nan
    let value = last.epoch.isNaN ? epoch : max(last.epoch, epoch.isNaN ? 0 : epoch)
    return shortNumber((value * 100).rounded() / 100)
  }

  /// Over the training set at the end; else the last batch's.
  var finalLoss: Double? { atEnd("loss")?.number ?? steps["loss"]?.points.last { $0.finite > 0 }?.mean }

  /// The last value of a measure: of the validation set, or at the end of the training.
  func bestKnown(_ name: String) -> Double? {
    (evaluations.first { $0.set == "validation" } ?? evaluations.first)?.curves[name]?.last
      ?? atEnd(name)?.number
  }

  var trainingSeconds: Double? {
    if let seconds = atEnd("seconds")?.number { return seconds }
    return last.seconds.isNaN ? nil : last.seconds
  }

  var examplesPerSecond: Double? {
    guard let seconds = trainingSeconds, seconds > 0, last.examples.isFinite else { return nil }
    let rate = last.examples / seconds
    return rate < 1e15 ? rate : nil
  }

  fileprivate var arithmeticWords: String {
    let name = setting("arithmetic")?.words ?? "–"
    if let kernel = setting("blasKernel")?.string, name != "portable" {
      return "\(name), kernel \(printable(kernel))"
    }
    if let instructions = setting("instructions")?.string { return "\(name), \(printable(instructions))" }
    return name
  }

  /// Each server with its ranks.
  fileprivate var hostRows: [[String]] {
    guard let hosts = setting("hosts")?.array?.map({ $0.string ?? "–" }) else { return [] }
    let servers = setting("serverOfRank")?.array?.map { $0.count ?? -1 } ?? []
    var ranks: [Int: [Int]] = [:]
    for (rank, server) in servers.enumerated() { ranks[server, default: []].append(rank) }
    let rows = hosts.enumerated().prefix(64).map { server, host in
      [printable(host), "\(ranks[server]?.count ?? 0)", ranges(ranks[server] ?? [])]
    }
    return rows + (hosts.count > 64 ? [["and \(hosts.count - 64) more", "–", "–"]] : [])
  }
}
