// What a user can say to `distsgd plan`, and what is wrong with it.
import Runs
import System

package struct PlanOptions: Sendable {
  /// What is trained, and how.
  package var training = TrainingOptions()
  /// Of the table: servers, ranks of each, global batches; nil: what there is here, and twice, four times … as many.
  package var servers, ranks, batches: [Int]?
  /// For which measurements are repeated; each is made once at least.
  package var seconds = 6.0
  /// A network that is not here.
  package var simulated: SimulatedJob?
  /// Of the gradients; nil: a run's, or that of some steps.
  package var noiseScale: Double?
  /// A run that tells of noise and of steps to a loss.
  package var run: String?
  /// Of that run; nil: the one that it came to.
  package var targetLoss: Double?

  package init() {}

  package func validate() throws(DistsgdError) {
    try NumberRange("--servers", 1...100_000).check(servers ?? [])
    try NumberRange("--local-ranks", 1...100_000).check(ranks ?? [])
    try NumberRange("--batches", NumberRange.globalBatch.values).check(batches ?? [])
    try DecimalRange.plannedSeconds.check(seconds)
    try DecimalRange.noiseScale.check(noiseScale)
    try DecimalRange.targetLoss.check(targetLoss)
    if let most = servers?.max(), let ranks = ranks?.max(), most * ranks > SimulatedJob.mostRanks {
      throw DistsgdError(
        .usage,
        "--servers \(most) with --local-ranks \(ranks): \(most * ranks) ranks; a plan has at most \(SimulatedJob.mostRanks)"
      )
    }
    if let targetLoss, run == nil {
      throw DistsgdError(
        .usage, "--target-loss \(targetLoss): which run tells of the steps to it? Name one by --from")
    }
    if let noiseScale, run != nil {
      throw DistsgdError(
        .usage, "--noise-scale \(noiseScale): the run of --from tells of the noise; leave one of them out")
    }
  }

  /// Batches are of an epoch.
  func requireExamples(_ examples: Int) throws(DistsgdError) {
    guard let wrong = batches?.first(where: { $0 > examples }) else { return }
    throw DistsgdError(
      .usage,
      "--batches \(wrong): larger than the training set; use at most \(examples), its number of examples")
  }
}
