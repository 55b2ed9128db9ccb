// A plan as it is told: measurement, table, advice and runs beside their predictions.
import Report
import System
import Text

/// What `distsgd plan` tells.
package struct Plan: Sendable {
  package let measured: MeasuredPlan
  /// With the machines that are simulated, if any are.
  package let model: CostModel
  package let forecast: Forecast
  package let comparisons: [Comparison]
  /// Where the noise comes from, and the loss that steps are counted to.
  let noiseSource: String?
  let targetLoss: Double?
  let isSimulated: Bool

  /// - Parameters:
  ///   - run: that tells of noise, and of steps to a loss.
  ///   - runs: whose steps are held against their predictions.
  /// - Throws: `DistsgdError`.
  package init(
    _ measured: MeasuredPlan, _ options: PlanOptions, from run: RunFacts? = nil, against runs: [RunFacts] = []
  ) throws {
    var model = measured.model
    if let simulated = options.simulated { model.simulate(simulated) }
    try options.requireExamples(measured.examples)
    if let servers = options.servers?.first(where: { $0 > 1 }), model.networks.isEmpty {
      throw DistsgdError(
        .usage,
        "--servers \(servers): no network was measured; run plan on several servers, or state one by --simulate"
      )
    }
    let statistics: BatchStatistics?
    if let run {
      let (found, loss) = try run.statistics(target: options.targetLoss)
      (statistics, noiseSource, targetLoss) = (found, "the run \(run.name)", loss)
    } else if let noise = options.noiseScale.map({ MeasuredNoise(noiseScale: $0, source: "--noise-scale") })
      ?? measured.noise
    {
      statistics = BatchStatistics(noiseScale: noise.noiseScale)
      (noiseSource, targetLoss) = (noise.source, nil)
    } else {
      (statistics, noiseSource, targetLoss) = (nil, nil, nil)
    }
    comparisons = try runs.map { try Comparison($0, model, parameters: measured.parameters) }
    self.measured = measured
    self.model = model
    isSimulated = options.simulated != nil
    let axes = TableAxes(measured, model, options)
    forecast = Forecast(
      model, shapes: axes.shapes, batches: axes.batches, batch: measured.batch,
      examples: measured.examples, statistics: statistics)
  }

  /// What is worth doing, in one sentence.
  package var advice: String {
    guard let best = forecast.recommended else {
      return "advice: nothing can be said: no job of the table has a rank for each part of the work"
    }
    let ranks =
      best.shape.servers == 1
      ? counted(best.worldSize, "rank")
      : "\(counted(best.shape.servers, "server")) × \(counted(best.shape.ranks, "rank"))"
    var text =
      "advice: \(ranks) with a global batch of \(grouped(best.batch)): \(duration(best.epochSeconds)) an epoch"
    if let seconds = best.secondsToLoss, let targetLoss {
      text += ", \(duration(seconds)) to a loss of \(readableLoss(targetLoss))"
    }
    if best.efficiency.isFinite, best.worldSize > 1 {
      text += ", \(fixed(100 * best.efficiency, 0)) % of the ranks' time used"
    }
    if best.worldSize < forecast.mostRanks {
      text += "; beyond \(counted(best.worldSize, "rank")) twice as many gain less than 10 %"
    } else {
      text += "; more ranks than in this table may still gain"
    }
    if let statistics = forecast.statistics {
      text +=
        ", and beyond a batch of \(whole(statistics.noiseScale.rounded(.up))) (the noise scale) most of what is added to it is wasted"
    }
    return text
  }

  /// The head of the tables.
  var facts: [[String]] {
    var rows = [
      ["data", measured.data],
      ["model", "\(measured.modelWords), \(grouped(measured.parameters)) parameters"],
    ]
    if measured.isGiven {
      rows.append([
        "given",
        "\(shortNumber(1 / model.alone.seconds(ranks: 1, Share(shards: 1, rows: 1)))) examples/s of a rank",
      ])
    } else {
      let each = measured.servers > 1 ? " each" : ""
      rows.append([
        "measured",
        "on \(counted(measured.servers, "server")) with \(counted(measured.ranks, "rank"))\(each), \(counted(measured.model.alone.cores, "core")), --arithmetic \(measured.arithmetic)",
      ])
    }
    for network in model.networks {
      var words =
        "latency \(duration(network.latency)), \(rateWords(1 / network.secondsPerByte)) a server, overlap \(fixed(100 * network.overlap, 0)) %"
      if network.handling > 0 {
        words += ", handling \(duration(network.handling * model.modelBytes)) a step"
      }
      if model.networks.count > 1 { words += " (\(counted(network.ranks, "rank")) a server)" }
      rows.append([isSimulated ? "simulated" : "network", words])
    }
    if forecast.statistics == nil {
      rows.append(["noise scale", "not known: the first steps did not tell it; see --from and --noise-scale"])
    }
    if let statistics = forecast.statistics, let noiseSource {
      rows.append([
        "noise scale", "\(whole(statistics.noiseScale)) examples, from \(noiseSource)",
      ])
    }
    return rows
  }

  var header: [String] {
    ["servers x ranks", "batch", "step", "messages", "examples/s", "efficiency", "epoch"]
      + (forecast.statistics == nil ? [] : ["examples used"])
      + (targetLoss == nil ? [] : ["steps", "to the loss"])
  }

  func cells(_ one: Prediction) -> [String] {
    var cells = [
      one.shape.words, "\(one.batch)",
      duration(one.seconds) + (one.isMeasured && !measured.isGiven ? " *" : ""),
      one.shape.servers > 1 ? duration(one.messageSeconds) : "–",
      whole(one.examplesPerSecond),
      one.efficiency.isFinite ? "\(fixed(100 * one.efficiency, 0)) %" : "–", duration(one.epochSeconds),
    ]
    if let statistics = forecast.statistics {
      cells.append("\(fixed(100 * statistics.efficiency(batch: one.batch), 0)) %")
    }
    if let steps = one.steps, let seconds = one.secondsToLoss {
      cells += [whole(steps.rounded(.up)), duration(seconds)]
    }
    return cells
  }

  static let comparisonHeader = ["run", "servers x ranks", "batch", "predicted", "measured", "ratio"]

  func cells(_ one: Comparison) -> [String] {
    [
      one.run.name, one.run.shape.words, "\(one.run.batch)", duration(one.predicted), duration(one.measured),
      fixed(one.ratio, 2),
    ]
  }

  /// The notes below the table.
  var notes: [String] {
    var notes: [String] = []
    if measured.spread > 0.25 {
      notes.append(
        "equal steps of one rank differed by \(fixed(100 * measured.spread, 0)) %: other work disturbs this machine, and a run here will be as uneven; plan again when it is quiet"
      )
    }
    if !measured.isGiven, forecast.predictions.contains(where: \.isMeasured) {
      notes.append("* this step itself was measured")
    }
    if forecast.statistics != nil {
      notes.append(
        "examples used: of those that a batch of a few would need to the same loss, against this batch's")
    }
    let most = model.alone.measuredRanks.last ?? 1
    if !isSimulated, forecast.predictions.contains(where: { $0.shape.ranks > most }) {
      notes.append(
        "more than \(counted(most, "rank")) on a server: taken to disturb each other no more than \(most == 1 ? "one alone" : "these"); start plan with more --ranks to measure it"
      )
    }
    return notes
  }

  /// For a person.
  package var text: String {
    var text = facts.map { padded($0[0] + ":", 13, left: true) + $0[1] + "\n" }.joined() + "\n"
    text += alignedTable([header] + forecast.predictions.map(cells))
    for note in notes { text += note + "\n" }
    if !comparisons.isEmpty {
      text += "\n" + alignedTable([Self.comparisonHeader] + comparisons.map(cells))
    }
    return text + "\n" + advice
  }
}

/// A number without a fraction; of one that no table has room for, its size.
private func whole(_ value: Double) -> String {
  value < 1e15 ? grouped(Int(value.rounded())) : shortNumber(value, 3)
}

/// `1.25 GB/s`
private func rateWords(_ bytesPerSecond: Double) -> String {
  guard bytesPerSecond.isFinite else { return "no limit that was seen" }
  for (factor, unit) in [(1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s")] where bytesPerSecond >= factor {
    return "\(shortNumber(bytesPerSecond / factor, 3)) \(unit)"
  }
  return "\(shortNumber(bytesPerSecond, 3)) B/s"
}

extension CostModel {
  /// Puts other machines in the place of those that were measured: their network, and cores for all their ranks.
  mutating func simulate(_ job: SimulatedJob) {
    networks = [job.network(as: networks.last)]
    networkSamples = []
    guard let ranks = job.ranks else { return }
    alone.cores = max(alone.cores, ranks * alone.threads)
    let cores = alone.cores
    together?.cores = cores
  }
}
