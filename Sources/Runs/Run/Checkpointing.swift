// When checkpoints are written: rank 0's side of `--checkpoint-every`, and the last one of a run that stops.
import DistributedSGD
import NeuralNet
import System

/// Decides after every step whether a checkpoint is due. Only rank 0 has one.
///
/// A checkpoint that comes due while the one before is still being written waits for that, and is then made of the
/// parameters of that later step: a slow disk makes checkpoints rarer, not steps slower. Where several come due
/// meanwhile they become one, and `lateCount` counts.
final class Checkpointing {
  private let interval: CheckpointInterval?
  private let writer: CheckpointWriter
  private var lastTime = monotonicSeconds()
  private var isPending = false
  /// Whether one waits for a step in which the ranks' parameters are compared.
  private(set) var wantsComparison = false
  private var dueCount = 0
  /// Those that came due while the disk was busy.
  private var lateCount = 0

  init(of run: TrainingRun, setUp: SetUp, files: RunFiles) {
    interval = run.options.checkpointEvery
    var words = setUp.modelMetadata.merging(run.options.settings) { $1 }
    words["--shards"] = "\(run.shards.count)"
    words["blasKernel"] = BLAS.kernelName
    words["blas"] = BLAS.configuration
    words["run"] = files.id
    writer = CheckpointWriter(
      CheckpointWriter.Constants(
        folder: files.checkpoints, keep: run.options.checkpointsKept,
        tensors: CheckpointTensor.all(of: setUp.model, states: run.options.optimizer.states),
        isPeriodic: interval != nil, words: words,
        fingerprint: setUp.fingerprint),
      files: [files.metrics, files.timings])
  }

  /// Whether a checkpoint could not be written.
  var hasFailed: Bool { !writer.isBusy && writer.failure != nil }

  var isPeriodic: Bool { interval != nil }

  /// Whether one is to be written now.
  /// - Parameter isCompared: whether this step's gradients are known to come from the same parameters on all ranks.
  ///   No other step is kept: `wantsComparison` then asks for such a one.
  func isDue(_ state: RunState, stepsPerEpoch: Int, isCompared: Bool) -> Bool {
    guard let interval else { return false }
    let comesDue =
      if case .seconds(let seconds) = interval {
        hasPassed(seconds)
      } else {
        interval.isDue(
          step: state.step, stepOfEpoch: state.stepOfEpoch, stepsPerEpoch: stepsPerEpoch, epoch: state.epoch)
      }
    guard comesDue || isPending else { return false }
    if comesDue { dueCount += 1 }
    let isBusy = writer.isBusy
    if comesDue && isBusy { lateCount += 1 }
    isPending = isBusy || !isCompared
    wantsComparison = !isBusy && !isCompared
    return !isPending
  }

  private func hasPassed(_ seconds: Double) -> Bool {
    let now = monotonicSeconds()
    guard now - lastTime >= seconds else { return false }
    lastTime = now
    return true
  }

  /// Begins a checkpoint when the one before is done; the one of this step may be under way already.
  func write(_ trainer: Trainer, _ moment: CheckpointWriter.Moment) {
    if writer.lastStep == moment.state.step { return }
    writer.wait()
    writer.begin(trainer.parameters, trainer.optimizerState, moment)
  }

  /// One line for the end of a run whose disk was too slow for its checkpoints.
  var lateness: String? {
    lateCount == 0
      ? nil
      : "checkpoints: \(lateCount) of \(dueCount) came due while the disk was busy with the one before, and became one with the next"
  }

  /// Returns when all is on the disk.
  /// - Throws: `DistsgdError`, when a checkpoint could not be written.
  func finish() throws {
    writer.wait()
    if let failure = writer.failure { throw failure }
  }
}
