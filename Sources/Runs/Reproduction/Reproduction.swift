// A model made again: the same run once more, without a folder, and a comparison of hashes.
import DataFormats
import DistributedSGD
import MPI
import System
import Text

/// A run that is to end in the parameters that a model file has.
package final class Reproduction {
  private let record: ModelRecord
  private let run: TrainingRun
  private let communicator: any Communicator
  private let setUp: SetUp
  private let expectedHash: String
  private let expectedSteps: Int
  /// The last step whose hash was found to be the same.
  private var lastSameStep = 0

  /// What came of it, with the same parameters as in the file.
  package struct Outcome {
    package let parameters: Int
    package let hash: String
    package let steps: Int
  }

  /// Checks that this job can make the model, and loads the data. Collective.
  /// - Parameter options: those of the record; the places of data and first weights may be others.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  package init(
    _ record: ModelRecord, _ options: TrainingOptions, communicator: any Communicator
  ) throws {
    self.record = record
    self.communicator = communicator
    (expectedHash, expectedSteps) = try communicator.agreeingOnErrors {
      try record.check(options, worldSize: communicator.worldSize)
      return (try record.word(Provenance.Key.parameterHash), try record.count(Provenance.Key.steps))
    }
    var options = options
    options.evaluateEvery = nil
    // Which step was the best, or the last, is in the file: the run may have ended early, or been stopped.
    options.lastStep = expectedSteps
    options.earlyStopping = nil
    options.keepsBest = false
    // Other files to evaluate on decide nothing; a fraction is taken away from what is trained on.
    if let validation = options.data.validation, fractionNumber(validation) == nil {
      options.data.validation = nil
    }
    setUp = try Self.load(record, options, communicator)
    try communicator.agreeingOnErrors { [setUp] in try record.check(setUp, options) }
    run = try TrainingRun(options, on: setUp, communicator: communicator)
  }

  /// Collective.
  private static func load(
    _ record: ModelRecord, _ options: TrainingOptions, _ communicator: any Communicator
  ) throws -> SetUp {
    let data = options.data.data
    let isElsewhere = data != record["--data"]
    try communicator.agreeingOnErrors {
      guard communicator.reads(options.data.origin) else { return }
      do throws(DistsgdError) { _ = try dataFiles(data) } catch {
        // Of what the user has named now he is told as `train` would.
        if isElsewhere || error.code == .badData { throw error }
        throw DistsgdError(
          .noInput,
          "'\(record.path)' was trained on '\(data)', which is not here: say where the data are now by --data PATH"
        )
      }
    }
    do {
      return try SetUp(options, communicator: communicator, tellsAssumptions: false) {
        try record.check($0, data: data)
      }
    } catch let error as AgreedError where error.error.code == .noInput && !isElsewhere {
      throw AgreedError(
        DistsgdError(.noInput, "\(error.error); or say where the data are now by --data PATH"))
    }
  }

  /// Trains, and compares. Collective.
  /// - Throws: `AgreedError` on every rank alike, `internal` where the parameters are others; `MPIError`.
  package func train() throws -> Outcome {
    if try communicator.broadcast(record.stepHashes.isEmpty ? 0 : 1, from: 0) == 1 {
      run.afterSteps { [unowned self] in try compare($0) }
    }
    let progress = communicator.rank == 0 ? Progress() : nil
    progress?.begin(totalSteps: expectedSteps)
    run.afterSteps(every: 10) {
      progress?.step($0.step, examples: $0.examples, loss: Double($0.loss), seconds: $0.seconds)
    }
    try run.run()
    progress?.end()
    let outcome = Outcome(
      parameters: setUp.model.parameterCount, hash: hexadecimal(run.parameterHash), steps: run.state.step)
    try communicator.agreeingOnErrors {
      guard outcome.hash != expectedHash else { return }
      let steps =
        outcome.steps == expectedSteps
        ? "\(expectedSteps) steps" : "\(outcome.steps) steps, and not \(expectedSteps) as in the file,"
      throw DistsgdError(
        .internal,
        "not reproduced: after \(steps) the parameters have the hash \(outcome.hash), and those of '\(record.path)' have \(printable(expectedHash)), although settings, data and arithmetic are the same; a run with --log-hashes tells the first step that differs"
      )
    }
    return outcome
  }

  /// Ends the run where its parameters part from those of the record. Collective.
  private func compare(_ moment: StepMoment) throws {
    var isOther = 0
    if communicator.rank == 0, let expected = record.stepHashes[moment.step] {
      isOther = hexadecimal(moment.trainer.parameterHash) == expected ? 0 : 1
      if isOther == 0 { lastSameStep = moment.step }
    }
    guard try communicator.broadcast(isOther, from: 0) == 1 else { return }
    try communicator.agreeingOnErrors {
      guard communicator.rank == 0 else { return }
      let before = lastSameStep == 0 ? "" : ", and was the same after step \(lastSameStep)"
      throw DistsgdError(
        .internal,
        "not reproduced: the run of '\(record.path)' differs first after step \(moment.step)\(before): the parameters have the hash \(hexadecimal(moment.trainer.parameterHash)), and metrics.jsonl has \(printable(record.stepHashes[moment.step] ?? ""))"
      )
    }
  }
}
