// How a run ends before its end: asked to, out of step, or diverged.
import DistributedSGD
import MPI
import System
import Text

extension TrainingRun {
  /// Writes a checkpoint and tells how to go on. Collective.
  func stopped(_ checkpointing: Checkpointing) throws -> AgreedError {
    try compareParameters()
    try checkpointing.keepAtStop(state, clock, communicator)
    let folder = try communicator.broadcastString(log.folder.path, from: 0)
    let launch = Launcher.words(ranks: communicator.worldSize, in: currentEnvironment())
    return AgreedError(
      DistsgdError(
        .stopped, "stopped after step \(state.step); go on with: \(launch)distsgd --resume \(folder)"))
  }

  /// Compares all copies of the parameters as they are now. Collective.
  func compareParameters() throws {
    try communicator.requireDefaultEnvironment()
    if let suspect = try trainer.compareParameters() { throw desynchronized(suspect) }
  }

  func desynchronized(_ suspect: Suspect) -> AgreedError {
    AgreedError(
      DistsgdError(
        .internal,
        suspect.words(topology: communicator.topology) + " in step \(trainer.stepCount): "
          + "the job ends before a checkpoint is made of it; go on from the newest one with --resume"))
  }

  func requireFinite(_ loss: Double) throws {
    if !loss.isFinite { throw diverged(Float(loss)) }
  }

  /// A lower learning rate; but first, where inputs or targets are large because nobody has scaled them, their scale.
  private var remedy: String {
    let (input, target) = setUp.training.largest()
    guard max(input, target) > 100, options.data.standardize != true else { return lowerRate }
    let what = input > 100 ? "inputs" : "targets"
    return
      "the \(what) are as large as \(readableMeasure(Double(max(input, target)))): give them mean 0 and deviation 1 by --standardize, or lower --learning-rate (it is \(trainer.learningRate))"
  }

  func diverged(_ loss: Float) -> AgreedError {
    let epoch = max(trainer.stepCount - 1, 0) / schedule.stepsPerEpoch + 1
    return AgreedError(
      DistsgdError(
        .diverged,
        "the loss became \(loss) at step \(trainer.stepCount) of epoch \(epoch): training diverged; \(remedy)"
      ))
  }
}
