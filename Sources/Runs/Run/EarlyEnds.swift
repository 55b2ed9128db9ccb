// How a run ends before its end: asked to, out of step, or diverged.
import DistributedSGD
import MPI
import System
import Text

/// A run's time limit has passed, and the run has not ended.
struct TimeIsUp: Error {}

extension TrainingRun {
  /// Writes a checkpoint and the model, and tells how to go on. Collective.
  func stopped(_ checkpointing: Checkpointing) throws -> AgreedError {
    try compareParameters()
    // A launcher may not wait for more than this.
    try checkpointing.keepAtStop(state, clock, communicator)
    let step = try modelAtEnd.install(in: trainer, state)
    try communicator.agreeingOnErrors {
      try communicator.board.takesItsTime { if communicator.rank == 0 { try saveModel(step: step) } }
    }
    return AgreedError(DistsgdError(.stopped, "stopped after step \(state.step); \(try wayOn())"))
  }

  /// The end of a run whose time is up: a checkpoint, an evaluation, the model, and how to go on. Collective.
  func endInTime() throws {
    guard let checkpointing else { return }
    try compareParameters()
    try checkpointing.keepAtStop(state, clock, communicator)
    try evaluate()
    let step = try modelAtEnd.install(in: trainer, state)
    let final = try evaluationAtEnd()
    try requireFinite(final.loss)
    let part = try RankTimings.collect(trainer.clock, over: communicator)
    if communicator.rank == 0 { timings.add(part) }
    try tellEnd(final, modelStep: step, isFinished: false)
    let words = try wayOn()
    log.tell(
      "the time limit of \(options.timeLimit?.description ?? "the run") is over after step \(state.step); \(words)"
    )
  }

  /// `go on with: …`. Collective.
  private func wayOn() throws -> String {
    let folder = try communicator.broadcastString(log.folder.path, from: 0)
    let launch = Launcher.words(ranks: communicator.worldSize, in: currentEnvironment())
    return "go on with: \(launch)distsgd --resume \(folder)"
  }

  /// Writes the parameters as they are now to the run's folder; on rank 0.
  func saveModel(step: Int) throws {
    try log.files?.inPlace {
      let words = provenance.words(of: setUp, steps: step, parameterHash: trainer.parameterHash)
      try setUp.save(trainer.parameters, provenance: words, to: log.folder.model)
    }
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
