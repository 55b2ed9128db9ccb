// Beyond the chapter: what its caution about batch normalisation means. The same batches, normalised over fewer or more of
// their examples.
import DataFormats
import Glibc
import NeuralNet
import Plot
import Runs
import System
import Text

extension Chapter {
  /// What there is beyond the chapter's own experiments; `--beyond`'s words.
  package enum Beyond: String, CaseIterable, Sendable {
    case batchNorm = "batch-norm"
    case largeBatch = "large-batch"

    /// - Parameter ranks: of the job: each needs a shard.
    package func study(ranks: Int) -> Study {
      switch self {
      case .batchNorm: BatchNormStudy.study(ranks: ranks)
      case .largeBatch: LargeBatchStudy.study(ranks: ranks)
      }
    }

    /// What all its runs share.
    /// - Parameter data: nil: the set that the study is about, or what is built in where it is not on this machine.
    package func options(data: String?, seed: UInt64) -> TrainingOptions {
      switch self {
      case .batchNorm: BatchNormStudy.options(data: data, seed: seed)
      case .largeBatch: LargeBatchStudy.options(data: data, seed: seed)
      }
    }
  }
}

/// Batches of 256 in shards of 2 to 128 examples, and the whole batch: accuracy, and how far the statistics of so few
/// examples are from those of all.
enum BatchNormStudy {
  static let globalBatch = 256
  static let seeds: UInt64 = 3
  private static let name = "batch-norm"

  static func options(data: String?, seed: UInt64) -> TrainingOptions {
    var options = TrainingOptions()
    let name = data ?? (findFashionMNIST() == nil ? "airfoil-like" : "fashion-mnist")
    options.data.data = name
    options.data.validation = name == "fashion-mnist" ? "test" : "0.2"
    if name == "fashion-mnist" { options.data.examples = 10_000 }
    options.model = ModelSpecification([
      Dense(128), BatchNorm(), Activation.relu, Dense(64), BatchNorm(), Activation.relu, Dense(),
    ])
    options.globalBatch = globalBatch
    options.shards = globalBatch / 2
    // A short last batch would have other groups.
    options.lastBatch = .drop
    options.epochs = 5
    // Where the rate stays, the last steps' noise hides what is compared.
    options.schedule = CosineSchedule()
    options.seed = seed
    options.isQuiet = true
    return options
  }

  /// Examples that are averaged over, from few to all.
  static func groups(ranks: Int) -> [Int] {
    [2, 4, 8, 16, 32, 64, 128].filter { globalBatch / $0 >= ranks } + [globalBatch]
  }

  static func study(ranks: Int) -> Study {
    Study(
      name: name, title: "Batch normalisation: over how many examples?", timedFor: 0,
      trials: { options, _ in groups(ranks: ranks).flatMap { trials(options, group: $0) } },
      read: read)
  }

  private static func trials(_ options: TrainingOptions, group: Int) -> [Trial] {
    (0..<seeds).map { number in
      var options = options
      options.seed += number
      options.shards = group == globalBatch ? nil : globalBatch / group
      options.batchNorm = group == globalBatch ? .global : .shard
      let name = group == globalBatch ? "global, \(group) examples" : "\(group) examples"
      var trial = Trial("\(name), seed \(options.seed)", group: "\(group)", options)
      trial.measure = { run in
        let spread = ShardSpread(of: run, group: group)
        return [(meanSpread, spread.mean), (deviationSpread, spread.deviation)]
      }
      return trial
    }
  }

  private static let meanSpread = "meanSpread"
  private static let deviationSpread = "deviationSpread"

  /// The results of one size.
  private struct Row {
    let group: Int
    let mean, deviation: Double
    /// Accuracy in percent, or the loss where there are no classes; over seeds.
    let score, scoreDeviation: Double
    let loss: Double

    init(_ results: [TrialResult]) {
      group = Int(results[0].group) ?? 0
      func average(_ values: [Double]) -> Double { meanAndDeviation(values).mean }
      mean = average(results.compactMap { $0.measures[meanSpread] })
      deviation = average(results.compactMap { $0.measures[deviationSpread] })
      let last = results.compactMap { $0.evaluations.last?.evaluation }
      (score, scoreDeviation) = meanAndDeviation(last.map { $0.accuracy.map { 100 * $0 } ?? $0.loss })
      loss = average(results.compactMap(\.finalLoss))
    }
  }

  private static func read(_ results: [TrialResult]) -> Study.Reading {
    let rows = stride(from: 0, to: results.count, by: Int(seeds)).map {
      Row(Array(results[$0..<min($0 + Int(seeds), results.count)]))
    }
    let hasAccuracy = results.first?.evaluations.last?.evaluation.accuracy != nil
    let score = hasAccuracy ? "accuracy %" : "held-out loss"
    var table = [
      [
        "averaged over", "shards", "spread of μ", "1/√n", "spread of σ", score, "± over seeds",
        "training loss",
      ]
    ]
    for row in rows {
      let isWhole = row.group == globalBatch
      table.append([
        isWhole ? "\(row.group), global" : "\(row.group)", isWhole ? "any" : "\(globalBatch / row.group)",
        fixed(row.mean, 4), fixed(1 / Double(row.group).squareRoot(), 4), fixed(row.deviation, 4),
        fixed(row.score, hasAccuracy ? 2 : 4), fixed(row.scoreDeviation, hasAccuracy ? 2 : 4),
        readableLoss(row.loss, 4),
      ])
    }
    return Study.Reading(
      tables: [table], words: sentence(rows, hasAccuracy: hasAccuracy),
      figures: figures(rows, score))
  }

  private static func sentence(_ rows: [Row], hasAccuracy: Bool) -> String {
    let slope = slope(rows.map { (Double($0.group), $0.mean) })
    let best = rows.max { hasAccuracy ? $0.score < $1.score : $0.score > $1.score }
    return """
      Batches of \(globalBatch) all along; \(seeds) seeds. The spread of μ is that of the first batch norm's means over n examples, in
      deviations of all examples; its slope on log-log axes is \(fixed(slope, 3)) (theory: -0.5). \
      \(best.map { "Best over \($0.group) examples: \(fixed($0.score, hasAccuracy ? 2 : 4))." } ?? "")

      """
  }

  /// Least squares through the logarithms.
  private static func slope(_ points: [(x: Double, y: Double)]) -> Double {
    let logarithms = points.filter { $0.y > 0 }.map { (x: log($0.x), y: log($0.y)) }
    let (x, y) = (meanAndDeviation(logarithms.map(\.x)).mean, meanAndDeviation(logarithms.map(\.y)).mean)
    let products = logarithms.reduce((0.0, 0.0)) {
      ($0.0 + ($1.x - x) * ($1.y - y), $0.1 + ($1.x - x) * ($1.x - x))
    }
    return products.0 / products.1
  }

  private static func figures(_ rows: [Row], _ score: String) -> [(name: String, plot: Plot)] {
    [
      (
        "\(name)-spread",
        Plot(
          title: "What a batch norm takes for the mean and the deviation", xLabel: "examples averaged over",
          yLabel: "spread, in deviations of all", xScale: .logarithmic, yScale: .logarithmic,
          series: [
            Series(name: "mean", points: rows.map { (x: Double($0.group), y: $0.mean) }, style: .markers),
            Series(
              name: "1/√n", points: rows.map { (x: Double($0.group), y: 1 / Double($0.group).squareRoot()) },
              style: .line, colorSlot: 0),
            Series(name: "deviation", points: rows.map { (x: Double($0.group), y: $0.deviation) }),
          ])
      ),
      (
        "\(name)-accuracy",
        Plot(
          title: "Batches of \(globalBatch), normalised over n of their examples",
          xLabel: "examples averaged over", yLabel: score, xScale: .logarithmic, yScale: .linear,
          series: [
            Series(
              name: "mean of \(seeds) seeds", points: rows.map { (x: Double($0.group), y: $0.score) },
              style: .lineAndMarkers, errors: rows.map(\.scoreDeviation))
          ])
      ),
    ]
  }
}
