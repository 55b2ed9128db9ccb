// What takes part in a run between its steps: the log, the fault drill, and whatever a user adds.
import DistributedSGD

/// A run after a step, as every rank sees it.
public struct StepMoment {
  /// Updates made.
  public let step: Int
  /// Counted from 1.
  public let epoch: Int
  /// Examples seen since the start.
  public let examples: Int
  /// The mean loss of the step's batch, before its update.
  public let loss: Float
  /// Training time since the start, in seconds, evaluation excluded.
  public let seconds: Double
  /// The gradient noise scale, the batch size at which noise and signal of the gradient balance, averaged over
  /// the steps that have measured it so far (`NoiseScale`); nil after all other steps, and with a single shard.
  public let noiseScale: Double?
  /// The model as it is now. Hooks may evaluate it, which is collective, and set its learning rate for the next step.
  public let trainer: Trainer
}

/// What is called on every rank after each `interval`th step.
struct StepHook {
  let interval: Int
  let body: (StepMoment) throws -> Void
}
