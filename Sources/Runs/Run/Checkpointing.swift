// When checkpoints are written: `--checkpoint-every`, and the last one of a run that stops.
import DistributedSGD
import MPI
import NeuralNet
import System

/// Decides before every step what this rank asks of all, and after it whether a checkpoint is due. Every rank has one;
/// rank 0's writes.
///
/// A checkpoint that comes due while the one before is still being written waits for that, and is then made of the
/// parameters of that later step: a slow disk makes checkpoints rarer, not steps slower. Where several come due
/// meanwhile they become one, and `lateCount` counts.
final class Checkpointing {
  private let trainer: Trainer
  private let modelAtEnd: ModelAtEnd
  private let interval: CheckpointInterval?
  private let stepsPerEpoch: Int
  /// Of several servers: rank 0 must be sent the optimizer's state before it can keep it.
  private let isSplit: Bool
  /// Whether this rank writes checkpoints from time to time.
  let isPeriodic: Bool
  private let board: RankBoard
  private let log: RunLog
  /// On rank 0 of a run with a folder.
  private let writer: CheckpointWriter?
  private var lastTime = monotonicSeconds()
  private var isPending = false
  /// Whether one waits for a step in which the ranks' parameters are compared.
  private var wantsComparison = false
  /// Whether rank 0 has all of the optimizer's state as it is after the last step.
  private var hasGathered = false
  /// Whether this rank has begun to write any: until then nothing can have failed.
  private var hasBegun = false
  private var dueCount = 0
  /// Those that came due while the disk was busy.
  private var lateCount = 0

  init(
    of trainer: Trainer, _ options: TrainingOptions, _ setUp: SetUp, _ provenance: Provenance, log: RunLog,
    modelAtEnd: ModelAtEnd, board: RankBoard
  ) {
    self.trainer = trainer
    self.modelAtEnd = modelAtEnd
    self.log = log
    self.board = board
    interval = options.checkpointEvery
    stepsPerEpoch = trainer.schedule.stepsPerEpoch
    isSplit = trainer.optimizerState.isSplit
    writer = log.files.map { files in
      var words = setUp.modelMetadata.merging(provenance.words) { $1 }
      words["blasKernel"] = BLAS.kernelName
      words["blas"] = BLAS.configuration
      words["run"] = files.id
      return CheckpointWriter(
        CheckpointWriter.Constants(
          folder: files.checkpoints, keep: options.checkpointsKept,
          tensors: CheckpointTensor.all(
            of: setUp.model, states: options.optimizer.states, others: modelAtEnd.kept.map(\.name)),
          isPeriodic: options.checkpointEvery != nil, words: words, fingerprint: setUp.fingerprint),
        files: [files.metrics, files.timings] + files.tables)
    }
    isPeriodic = writer != nil && interval != nil
  }

  /// Before a step: what this rank asks of all, and whether a checkpoint will be made of the step.
  /// - Parameters:
  ///   - step: updates made by then, and those of them in this epoch.
  ///   - epoch: epochs done before this one.
  ///   - heard: what was asked before the last step.
  @inline(__always)
  func prepare(_ plan: inout StepPlan, step: Int, stepOfEpoch: Int, epoch: Int, heard: Requests) {
    if StopSignal.hasCome || hasBegun && hasFailed { plan.requests.insert(.stop) }
    if wantsComparison { plan.requests.insert(.comparison) }
    plan.comparesParameters =
      heard.contains(.comparison)
      || interval?.isDue(
        step: step + 1, stepOfEpoch: stepOfEpoch + 1, stepsPerEpoch: stepsPerEpoch, epoch: epoch) == true
  }

  /// Right after a step: rank 0 may keep it, and where the state lies on several servers, all know of it beforehand.
  @inline(__always)
  func gather(_ plan: StepPlan) throws(MPIError) {
    hasGathered = isSplit && plan.comparesParameters
    if hasGathered { try trainer.optimizerState.gather() }
  }

  /// When all is told of a step.
  /// - Parameter isCompared: whether its gradients are known to come from the same parameters on all ranks. No other
  ///   step is kept: `wantsComparison` then asks for such a one.
  func keepIfDue(_ state: RunState, isCompared: Bool, _ clock: TrainingClock) throws {
    guard let writer, let interval else { return }
    if isDue(state, interval, writer, isCompared: isCompared && (hasGathered || !isSplit)) {
      try write(state, clock)
    }
  }

  private func isDue(
    _ state: RunState, _ interval: CheckpointInterval, _ writer: CheckpointWriter, isCompared: Bool
  ) -> Bool {
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

  /// At the end of the last epoch, when the ranks' parameters are known to be the same. Collective.
  func keepLastEpoch(_ state: RunState, _ clock: TrainingClock) throws {
    guard interval != nil else { return }
    try trainer.optimizerState.gather()
    if writer != nil { try write(state, clock) }
  }

  /// The checkpoint of a run that stops; when it returns, it is on the disk. Collective.
  /// - Throws: `AgreedError`, when it, or the one before it, could not be written.
  func keepAtStop(_ state: RunState, _ clock: TrainingClock, _ communicator: any Communicator) throws {
    try trainer.optimizerState.gather()
    try communicator.agreeingOnErrors {
      try board.takesItsTime {
        guard writer != nil else { return }
        try finish()
        try write(state, clock)
        try finish()
      }
    }
  }

  /// Begins a checkpoint when the one before is done; the one of this step may be under way already. The other ranks
  /// may have to wait meanwhile.
  private func write(_ state: RunState, _ clock: TrainingClock) throws {
    guard let writer, writer.lastStep != state.step else { return }
    var now = state
    now.trainingSeconds = clock.seconds
    trainer.clock.mark(.other)
    let moment = CheckpointWriter.Moment(state: now, position: try log.position())
    board.takesItsTime {
      writer.wait()
      hasBegun = true
      writer.begin(
        trainer.parameters, trainer.optimizerState, others: modelAtEnd.kept.map(\.values), moment)
    }
    trainer.clock.mark(.checkpoint)
  }

  /// Whether a checkpoint could not be written.
  private var hasFailed: Bool { writer.map { !$0.isBusy && $0.failure != nil } ?? false }

  /// One line for the end of a run whose disk was too slow for its checkpoints.
  var lateness: String? {
    lateCount == 0
      ? nil
      : "checkpoints: \(lateCount) of \(dueCount) came due while the disk was busy with the one before, and became one with the next"
  }

  /// Returns when all is on the disk.
  /// - Throws: `DistsgdError`, when a checkpoint could not be written.
  func finish() throws {
    writer?.wait()
    if let failure = writer?.failure { throw failure }
  }
}
