// Beyond the chapter: what many devices make of a batch. Equal epochs at growing batches, and what is done so that they
// still train.
import DataFormats
import NeuralNet
import Plot
import Runs
import System
import Text

/// Batches of 64 to 8,192 for the same number of epochs, under four rules for the learning rate.
enum LargeBatchStudy {
  static let baseBatch = 64
  static let learningRate = 0.02
  private static let name = "large-batch"

  static func options(data: String?, seed: UInt64) -> TrainingOptions {
    var options = TrainingOptions()
    let name = data ?? (findFashionMNIST() == nil ? "airfoil-like" : "fashion-mnist")
    options.data.data = name
    options.data.validation = name == "fashion-mnist" ? "test" : "0.2"
    options.model = ModelSpecification([Dense(128), Activation.relu, Dense()])
    options.globalBatch = baseBatch
    options.optimizer = SGD(momentum: 0.9)
    options.learningRate = learningRate
    options.schedule = CosineSchedule()
    options.epochs = 3
    options.seed = seed
    options.isQuiet = true
    return options
  }

  /// What is done about the learning rate.
  private enum Rule: String, CaseIterable {
    case same = "same rate"
    case scaled = "linear"
    case warmed = "linear, warm-up"
    case lars = "LARS, warm-up"

    func apply(to options: inout TrainingOptions) {
      guard self != .same else { return }
      options.batchScaling = .linear
      options.baseBatch = baseBatch
      guard self != .scaled else { return }
      options.warmUp = WarmUp(.epochs(1))
      // Ten times the paper's trust: there are tens of updates here, not thousands.
      if self == .lars { options.optimizer = LARS(trust: 0.01) }
    }
  }

  /// The sizes that a set of `examples` and a job of `ranks` have work for.
  static func batches(examples: Int, ranks: Int) -> [Int] {
    (0..<8).map { baseBatch << $0 }.filter { ranks <= $0 && $0 <= examples }
  }

  static func study(ranks: Int) -> Study {
    Study(
      name: name, title: "Large batches: accuracy after equal epochs", timedFor: 0,
      trials: { options, examples in
        batches(examples: examples, ranks: ranks).flatMap { batch in
          Rule.allCases.map { rule in
            var options = options
            options.globalBatch = batch
            rule.apply(to: &options)
            return Trial("\(batch), \(rule.rawValue)", group: rule.rawValue, options)
          }
        }
      },
      read: read)
  }

  /// Accuracy in percent, or the held-out loss where there are no classes; nil where the run diverged.
  private static func score(_ result: TrialResult) -> Double? {
    guard result.finalLoss != nil, let last = result.evaluations.last?.evaluation else { return nil }
    let score = last.accuracy.map { 100 * $0 } ?? last.loss
    return score.isFinite ? score : nil
  }

  private static func read(_ results: [TrialResult]) -> Study.Reading {
    let hasAccuracy = results.contains { $0.evaluations.last?.evaluation.accuracy != nil }
    let rules = Rule.allCases.map(\.rawValue)
    let epochs = results.first.map { fixed($0.epochs, 0) } ?? "0"
    var table = [["global batch", "updates"] + rules]
    for row in stride(from: 0, to: results.count, by: rules.count) {
      let row = results[row..<min(row + rules.count, results.count)]
      guard let first = row.first else { continue }
      table.append(
        ["\(first.globalBatch)", "\(updates(first))"]
          + row.map { score($0).map { fixed($0, hasAccuracy ? 2 : 4) } ?? "diverged" })
    }
    let what = hasAccuracy ? "Held-out accuracy in percent" : "Held-out loss"
    let words = """
      \(what) after \(epochs) epochs; cosine, momentum 0.9. The rate is \(learningRate), or \(learningRate)·B/\(baseBatch) (linear); \
      warm-up is one epoch.

      """
    return Study.Reading(
      tables: [table], words: words, figures: [(name, figure(results, hasAccuracy: hasAccuracy))])
  }

  /// A short last batch is one too.
  private static func updates(_ result: TrialResult) -> Int {
    let epochs = Int(result.epochs.rounded())
    let examples = (result.evaluations.last?.examples ?? 0) / max(epochs, 1)
    return epochs * ((examples + result.globalBatch - 1) / result.globalBatch)
  }

  private static func figure(_ results: [TrialResult], hasAccuracy: Bool) -> Plot {
    Plot(
      title: "Equal epochs, growing batches", xLabel: "global batch",
      yLabel: hasAccuracy ? "accuracy %" : "held-out loss", xScale: .logarithmic, yScale: .linear,
      series: Rule.allCases.map { rule in
        Series(
          name: rule.rawValue,
          points: results.filter { $0.group == rule.rawValue }.compactMap { result in
            score(result).map { (x: Double(result.globalBatch), y: $0) }
          }, style: .lineAndMarkers)
      })
  }
}
