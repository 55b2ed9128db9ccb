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
  package var globalBatch: Int
  package var learningRate: Double
  package var epochs: Double
  /// Loss and training time at every evaluation.
  package var evaluations: [EvaluationPoint]
  /// Over the training set; nil if the run diverged.
  package var finalLoss: Double?
  /// Training time alone, evaluation excluded.
  package var secondsPerEpoch: Double
  /// Training examples per second.
  package var examplesPerSecond: Double
  /// XXH64 of the parameters' bytes.
  package var parameterHash: UInt64
  /// What the trial has measured beside, by its names; on rank 0.
  package var measures: [String: Double] = [:]

  /// Training time until an evaluation finds at most `loss`; nil if none does.
  package func seconds(toReach loss: Double) -> Double? {
    evaluations.first { $0.evaluation.loss <= loss }?.seconds
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

  /// Runs a trial again and again for `timedFor` seconds of training, and takes the run of median time: a
  /// short run alone would show whatever else the machine was doing. The bits are the same in all. In a job of
  /// several ranks it runs once. Collective.
  package func run(_ trial: Trial, timedFor seconds: Double) throws -> TrialResult {
    var results = [try run(trial)]
    guard communicator.worldSize == 1 else { return results[0] }
    var spent = 0.0
    while results.count < 25 {
      spent += results.last!.secondsPerEpoch * results.last!.epochs
      if spent > seconds { break }
      results.append(try run(trial))
    }
    return results.sorted { $0.secondsPerEpoch < $1.secondsPerEpoch }[(results.count - 1) / 2]
  }

  /// Runs one trial. A diverged loss is a result, not an error. Collective.
  package func run(_ trial: Trial) throws -> TrialResult {
    let run = try TrainingRun(trial.options, sharing: setUp, communicator: communicator)
    let examples = Double(exampleCount) * Double(trial.options.epochLimit)
    run.afterSteps(every: 100) { Stages.part(Double($0.examples) / examples) }
    var hasDiverged = false
    do {
      try run.run()
    } catch let error as AgreedError where error.error.code == .diverged {
      hasDiverged = true
    }
    let measures = communicator.rank == 0 && !hasDiverged ? trial.measure?(run) ?? [] : []
    return TrialResult(
      name: trial.name, group: trial.group, globalBatch: trial.options.globalBatch,
      learningRate: Double(run.baseLearningRate),
      epochs: run.fractionalEpoch, evaluations: run.evaluations, finalLoss: hasDiverged ? nil : run.finalLoss,
      secondsPerEpoch: run.secondsPerEpoch,
      examplesPerSecond: run.seconds > 0 ? run.fractionalEpoch * Double(exampleCount) / run.seconds : 0,
      parameterHash: run.parameterHash, measures: Dictionary(measures.map { ($0.name, $0.value) }) { $1 })
  }
}
