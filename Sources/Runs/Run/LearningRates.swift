// The learning rate of every update of a run: what it is trained with, and what `distsgd schedule` shows.
import DistributedSGD
import NeuralNet
import System

/// η as a function of the step. A reference, since a step asks for it.
package final class LearningRates: Sendable {
  /// Updates of an epoch, and of the whole run.
  package let stepsPerEpoch, totalSteps: Int
  /// η before its schedule.
  package let base: Float
  private let options: TrainingOptions

  /// - Parameter base: η, scaled by the batch.
  package init(_ options: TrainingOptions, stepsPerEpoch: Int, base: Float) {
    self.options = options
    self.stepsPerEpoch = stepsPerEpoch
    self.base = base
    totalSteps = options.totalSteps(stepsPerEpoch: stepsPerEpoch)
  }

  /// The same for a training set of `examples`, without looking at any data.
  /// - Throws: `DistsgdError` (`usage`).
  package convenience init(_ options: TrainingOptions, examples: Int) throws {
    let positions = try NumberRange.positions(examples: examples, copies: options.copies)
    let options = options.fitted(to: positions)
    try options.validate(worldSize: 1)
    guard options.globalBatch <= positions else {
      throw DistsgdError(
        .usage,
        "--global-batch \(options.globalBatch): larger than the training set; use at most \(positions), its number of examples"
      )
    }
    let schedule = BatchSchedule(
      exampleCount: positions, globalBatch: options.globalBatch, lastBatch: options.lastBatch)
    let rate = options.learningRate ?? options.optimizer.defaultLearningRate ?? 0.1
    self.init(
      options, stepsPerEpoch: schedule.stepsPerEpoch, base: Float(rate * options.batchFactor))
  }

  /// For data that are loaded.
  package convenience init(_ setUp: SetUp) {
    let schedule = BatchSchedule(
      exampleCount: setUp.training.count * setUp.options.copies, globalBatch: setUp.options.globalBatch,
      lastBatch: setUp.options.lastBatch)
    self.init(setUp.options, stepsPerEpoch: schedule.stepsPerEpoch, base: setUp.learningRate)
  }

  /// η for the update after `step` others.
  package func rate(_ step: Int) -> Float { Float(Double(base) * factor(step)) }

  /// What the base is multiplied by.
  package func factor(_ step: Int) -> Double {
    options.learningRateFactor(
      ScheduleMoment(step: step, stepsPerEpoch: stepsPerEpoch, totalSteps: totalSteps))
  }

  /// Updates of the warm-up.
  package var warmUpSteps: Int { options.warmUp?.length.steps(perEpoch: stepsPerEpoch) ?? 0 }

  /// What they follow from, for a title.
  package var words: String {
    var words = "\(options.schedule), learning rate \(base)"
    if let warmUp = options.warmUp { words += ", warm-up \(warmUp)" }
    if let scaling = options.batchScaling, let base = options.baseBatch {
      words += " (\(scaling.rawValue) from a batch of \(base) to \(options.globalBatch))"
    }
    return words
  }
}
