// Several runs on the same data, compared: what the chapter, its exercises and `sweep` are made of.
import DistributedSGD
import MPI
import Runs
import System

/// A run of an experiment: its name, and what it does differently.
package struct Trial: Sendable {
  package var name: String
  /// What trials that differ in their seed alone have in common.
  package var group: String
  package var options: TrainingOptions
  /// The words of the settings that a sweep varies.
  var settings: SweepPlan.Combination = []
  /// What is asked of the trained model, on rank 0: numbers by their names.
  package var measure: (@Sendable (TrainingRun) -> [(name: String, value: Double)])?

  package init(_ name: String, group: String? = nil, _ options: TrainingOptions) {
    self.name = name
    self.group = group ?? name
    self.options = options
  }
}

/// What came of a trial.
package struct TrialResult: Sendable {
  package var name: String
  package var group: String
  /// The words of the settings that a sweep varies.
  var settings: SweepPlan.Combination = []
  package var globalBatch: Int
  package var learningRate: Double
  package var epochs: Double
  /// Loss and training time at every evaluation.
  package var evaluations: [EvaluationPoint]
  /// Over the training set; nil if the run diverged.
  package var finalLoss: Double?
  /// Loss and measures over the validation set at the end; nil without one, and if the run diverged.
  package var validation: Evaluation?
  /// Whether there is a validation set, by which runs are then judged.
  package var hasValidation = false
  /// Training time alone, evaluation excluded.
  package var secondsPerEpoch: Double
  /// Training examples per second.
  package var examplesPerSecond: Double
  /// XXH64 of the parameters' bytes.
  package var parameterHash: UInt64
  /// What the trial has measured beside, by its names; on rank 0.
  package var measures: [String: Double] = [:]

  /// What a run is judged by: the validation loss, where there is one, else the training loss; nil if it diverged.
  package var judgedLoss: Double? {
    (hasValidation ? validation?.loss : finalLoss).flatMap { $0.isFinite ? $0 : nil }
  }

  /// Training time until an evaluation finds at most `loss`; nil if none does.
  package func seconds(toReach loss: Double) -> Double? { point(reaching: loss)?.seconds }

  /// Examples seen until an evaluation finds at most `loss`: the same on any machine.
  package func examples(toReach loss: Double) -> Int? { point(reaching: loss)?.examples }

  private func point(reaching loss: Double) -> EvaluationPoint? {
    evaluations.first { $0.evaluation.loss <= loss }
  }
}

/// Runs trials one after the other on data that are loaded once.
package final class Experiment {
  package let communicator: any Communicator
  private let setUp: SetUp

  /// Loads the data of `options`. Collective.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  package init(_ options: TrainingOptions, communicator: any Communicator) throws {
    self.communicator = communicator
    setUp = try SetUp(options, communicator: communicator)
  }

  /// One line about the data.
  package var dataSummary: String { setUp.dataSummary }
  /// N
  package var exampleCount: Int { setUp.training.count }
  package var hasValidation: Bool { setUp.validation != nil }
  /// Tells these data from others.
  var fingerprint: String { setUp.fingerprint.digits }

  /// Finds what is wrong with a trial, before any is run. Collective.
  func check(_ trial: Trial) throws {
    do { _ = try setUp.with(trial.options, communicator: communicator) } catch let error as AgreedError {
      throw AgreedError(DistsgdError(error.error.code, "\(trial.name): \(error.error)"))
    }
  }

  /// Runs a trial again and again for `timedFor` seconds of training, and takes the run of median time: a
  /// short run alone would show whatever else the machine was doing. The bits are the same in all. In a job of
  /// several ranks it runs once. Collective.
  package func run(
    _ trial: Trial, timedFor seconds: Double, on group: (any Communicator)? = nil
  ) throws -> TrialResult {
    var results = [try run(trial, on: group)]
    guard communicator.worldSize == 1 else { return results[0] }
    var spent = 0.0
    while results.count < 25 {
      spent += results.last!.secondsPerEpoch * results.last!.epochs
      if spent > seconds { break }
      results.append(try run(trial, on: group))
    }
    return results.sorted { $0.secondsPerEpoch < $1.secondsPerEpoch }[(results.count - 1) / 2]
  }

  /// Runs one trial. A diverged loss is a result, not an error. Collective over the group, or all ranks.
  package func run(_ trial: Trial, on group: (any Communicator)? = nil) throws -> TrialResult {
    let communicator = group ?? communicator
    let before = communicator.sharedCount
    let result = try train(trial, on: communicator)
    // The run is gone, and with it whoever knows of its memory.
    try communicator.releaseShared(downTo: before)
    return result
  }

  @inline(never)
  private func train(_ trial: Trial, on communicator: any Communicator) throws -> TrialResult {
    let run = try TrainingRun(trial.options, sharing: setUp, communicator: communicator)
    run.heedSignals()
    let examples = Double(exampleCount) * Double(trial.options.epochLimit)
    run.afterSteps(every: 100) { Stages.part(Double($0.examples) / examples) }
    var hasDiverged = false
    var validation: Evaluation?
    do {
      try run.run()
      validation = try run.finalValidation()
    } catch let error as AgreedError where error.error.code == .diverged {
      hasDiverged = true
    }
    let measures = communicator.rank == 0 && !hasDiverged ? trial.measure?(run) ?? [] : []
    return TrialResult(
      name: trial.name, group: trial.group, settings: trial.settings, globalBatch: trial.options.globalBatch,
      learningRate: Double(run.baseLearningRate),
      epochs: run.fractionalEpoch, evaluations: run.evaluations, finalLoss: hasDiverged ? nil : run.finalLoss,
      validation: validation, hasValidation: setUp.validation != nil,
      secondsPerEpoch: run.secondsPerEpoch,
      examplesPerSecond: run.seconds > 0 ? run.fractionalEpoch * Double(exampleCount) / run.seconds : 0,
      parameterHash: run.parameterHash, measures: Dictionary(measures.map { ($0.name, $0.value) }) { $1 })
  }
}
