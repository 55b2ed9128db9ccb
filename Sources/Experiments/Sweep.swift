// A grid of batch sizes and learning rates.
import Runs

package enum Sweep {
  /// A trial for every pair, batch by batch.
  package static func trials(
    _ options: TrainingOptions, globalBatches: [Int], learningRates: [Double]
  ) -> [Trial] {
    globalBatches.flatMap { batch in
      learningRates.map { learningRate in
        var options = options
        options.globalBatch = batch
        options.learningRate = learningRate
        return Trial("batch \(batch), η \(learningRate)", options)
      }
    }
  }

  /// The loss that counts as reached when the user names none: 2 % above the best final loss.
  package static func defaultTarget(_ results: [TrialResult]) -> Double? {
    results.compactMap(\.judgedLoss).min().map { 1.02 * $0 }
  }

  /// The trial that reached `target` first, in training time, of those that did not leave it by more than 5 %.
  package static func fastest(_ results: [TrialResult], toReach target: Double) -> TrialResult? {
    reached(results, target).min { $0.seconds(toReach: target)! < $1.seconds(toReach: target)! }
  }

  /// The same by the examples that were seen until then, which depends on no machine.
  package static func frugal(_ results: [TrialResult], toReach target: Double) -> TrialResult? {
    reached(results, target).min { $0.examples(toReach: target)! < $1.examples(toReach: target)! }
  }

  private static func reached(_ results: [TrialResult], _ target: Double) -> [TrialResult] {
    results.filter { ($0.judgedLoss ?? .infinity) <= 1.05 * target && $0.seconds(toReach: target) != nil }
  }
}
