// What a run has come to on examples that it has not seen.
import DistributedSGD

extension TrainingRun {
  /// Loss and measures over the validation set of the model that the run has ended with; nil without such a set.
  /// Collective.
  package func finalValidation() throws -> Evaluation? {
    guard let set = setUp.validation else { return nil }
    if !options.keepsBest, let last = state.lastEvaluation, last.examples == state.examples {
      return last.evaluation
    }
    return try trainer.evaluate(on: set, measuring: task)
  }
}
