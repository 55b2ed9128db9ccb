// Several runs on the same data, compared: what the chapter, its exercises and `sweep` are made of.
import DistributedSGD
import MPI
import Runs

/// A run of an experiment: its name, and what it does differently.
public struct Trial: Sendable {
  public var name: String
  /// What trials that differ in their seed alone have in common.
  public var group: String
  public var options: TrainingOptions

  public init(_ name: String, group: String? = nil, _ options: TrainingOptions) {
    self.name = name
    self.group = group ?? name
    self.options = options
  }
}

/// What came of a trial.
public struct TrialResult: Sendable {
  public var name: String
  public var group: String
  public var globalBatch: Int
  public var learningRate: Double
  public var epochs: Double
  /// Loss and training time at every evaluation.
  public var evaluations: [EvaluationPoint]
  /// Over the training set; nil if the run diverged.
  public var finalLoss: Double?
  /// Training time alone, evaluation excluded.
  public var secondsPerEpoch: Double
  /// Training examples per second.
  public var examplesPerSecond: Double
  /// XXH64 of the parameters' bytes.
  public var parameterHash: UInt64

  /// Training time until an evaluation finds at most `loss`; nil if none does.
  public func seconds(toReach loss: Double) -> Double? {
    evaluations.first { $0.evaluation.loss <= loss }?.seconds
  }
}

/// Runs trials one after the other on data that are loaded once.
public final class Experiment {
  public let communicator: any Communicator
  private let setUp: SetUp

  /// Loads the data of `options`. Collective.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  public init(_ options: TrainingOptions, communicator: any Communicator) throws {
    self.communicator = communicator
    setUp = try SetUp(options, communicator: communicator)
  }

  /// One line about the data.
  public var dataSummary: String { setUp.dataSummary }
  /// N
  public var exampleCount: Int { setUp.training.count }

  /// Runs a trial again and again for `timedFor` seconds of training, and takes the run of median time: a
  /// short run alone would show whatever else the machine was doing. The bits are the same in all. In a job of
  /// several ranks it runs once. Collective.
  public func run(_ trial: Trial, timedFor seconds: Double) throws -> TrialResult {
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
  public func run(_ trial: Trial) throws -> TrialResult {
    let run = try TrainingRun(trial.options, sharing: setUp, communicator: communicator)
    var hasDiverged = false
    do {
      try run.run()
    } catch let error as AgreedError where error.error.code == .diverged {
      hasDiverged = true
    }
    return TrialResult(
      name: trial.name, group: trial.group, globalBatch: trial.options.globalBatch,
      learningRate: Double(run.baseLearningRate),
      epochs: run.fractionalEpoch, evaluations: run.evaluations, finalLoss: hasDiverged ? nil : run.finalLoss,
      secondsPerEpoch: run.secondsPerEpoch,
      examplesPerSecond: run.seconds > 0 ? run.fractionalEpoch * Double(exampleCount) / run.seconds : 0,
      parameterHash: run.parameterHash)
  }
}
