// The gradient noise scale of the first steps of the run that is planned.
import DistributedSGD
import MPI
import Runs
import System

/// How noisy gradients are, and where in a run that was found.
package struct MeasuredNoise: Sendable, Equatable {
  /// In examples.
  package var noiseScale: Double
  /// In words: `the first 200 steps`, a run's folder.
  package var source: String

  package init(noiseScale: Double, source: String) {
    self.noiseScale = noiseScale
    self.source = source
  }
}

/// Trains as the run will, from its first step. Collective.
/// - Returns: nil where batches have one shard alone, or the gradient cannot be told from its noise.
func measureNoise(
  _ options: TrainingOptions, sharing setUp: SetUp, over communicator: any Communicator
) throws -> MeasuredNoise? {
  let (most, seconds, every) = (400, 1.5, 4)
  let run = try TrainingRun(options, sharing: setUp, communicator: communicator)
  let trainer = run.trainer
  defer { trainer.settle() }
  let fullBatches = run.schedule.exampleCount / run.schedule.globalBatch
  var noise = NoiseScale()
  var order = run.sampler.order(epoch: 0)
  let start = monotonicSeconds()
  var made = 0
  for step in 0..<most {
    if step % fullBatches == 0 { order = run.sampler.order(epoch: step / fullBatches) }
    var plan = StepPlan(positions: run.schedule.positions(step: step % fullBatches))
    if step % every == every - 1 { plan.measured = .halves }
    let result = try trainer.step(order, plan)
    // The same on all ranks; what it makes of the model tells nothing.
    guard result.loss.isFinite else { return nil }
    made += 1
    guard plan.measured == .halves else { continue }
    if let sample = trainer.noise(ofBatch: plan.positions.count) { noise.add(sample) }
    guard try communicator.broadcast(monotonicSeconds() - start < seconds ? 1 : 0, from: 0) == 1 else {
      break
    }
  }
  guard let value = noise.value, value > 0, value.isFinite else { return nil }
  return MeasuredNoise(noiseScale: value, source: "the first \(made) steps")
}
