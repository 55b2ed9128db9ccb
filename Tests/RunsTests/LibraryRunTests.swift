// What a program of a user's own does with a run: hooks between steps, data from memory, stopping it, its own model.
import DataFormats
import DistributedSGD
import MPI
import NeuralNet
import Runs
import System
import TestSupport
import Testing

@Suite struct LibraryRunTests {
  private let folder = TemporaryFolder()
  private let communicator = SingleProcessCommunicator()

  /// 60 examples of 4 inputs, which are summed.
  private var options: TrainingOptions {
    var options = TrainingOptions()
    options.data = DataOptions(named: "sums") {
      let sample = Sample.random(count: 60, features: 4)
      let sums = (0..<60).map { row in sample.features[4 * row..<4 * row + 4].reduce(0, +) }
      return LoadedData(
        Examples(count: 60, featureCount: 4, features: .float32(sample.features), targets: .values(sums)))
    }
    options.globalBatch = 20
    options.shards = 4
    options.epochs = 5
    options.learningRate = 0.2
    options.isQuiet = true
    options.output = folder("run")
    return options
  }

  @Test func hooksAreCalledAfterTheirSteps() throws {
    let run = try TrainingRun(options, communicator: communicator)
    var every: [Int] = []
    var third: [Int] = []
    var examples: [Int] = []
    run.afterSteps { every.append($0.step) }
    run.afterSteps(every: 4) {
      third.append($0.step)
      examples.append($0.examples)
      #expect($0.epoch == ($0.step - 1) / 3 + 1 && $0.loss.isFinite && $0.seconds > 0)
    }
    try run.run()
    #expect(every == Array(1...15))
    #expect(third == [4, 8, 12] && examples == [80, 160, 240])
    #expect(run.finalLoss < 0.1 * run.evaluations[0].evaluation.loss)
  }

  /// A hook may change the learning rate of what follows, and evaluate.
  @Test func aHookActs() throws {
    let run = try TrainingRun(options, communicator: communicator)
    var losses: [Double] = []
    run.afterSteps(every: 3) { moment in
      moment.trainer.learningRate = 0
      losses.append(try moment.trainer.evaluate().loss)
    }
    try run.run()
    #expect(losses.count == 5 && Set(losses).count == 1, "nothing is learned after the third step")
  }

  /// As a signal would: with a checkpoint, from which the run goes on to the end of one that nobody stopped.
  @Test func stopsAndGoesOn() throws {
    let end = #expect(throws: AgreedError.self) {
      let run = try TrainingRun(options, communicator: communicator)
      run.afterSteps(every: 7) { [unowned run] _ in run.stop() }
      try run.run()
    }
    #expect(end?.error.code == .stopped && end?.error.description.contains("stopped after step 8") == true)
    let resumed = try TrainingRun(
      options, resuming: Resumption(folder("run"), communicator: communicator), .init(),
      communicator: communicator)
    try resumed.run()
    var other = options
    other.output = folder("whole")
    let whole = try TrainingRun(other, communicator: communicator)
    try whole.run()
    #expect(resumed.parameterHash == whole.parameterHash)
  }

  /// Other numbers under the same name are other data.
  @Test func otherDataAreNoticed() throws {
    try TrainingRun(options, communicator: communicator).run()
    var first = options
    first.checkpointEvery = .steps(15)
    first.output = folder("kept")
    try TrainingRun(first, communicator: communicator).run()
    var other = first
    other.epochs = 6
    other.data = DataOptions(named: "sums") {
      let sample = Sample.random(count: 60, features: 4, seed: 2)
      return LoadedData(sample.examples)
    }
    let error = #expect(throws: AgreedError.self) {
      try TrainingRun(
        other, resuming: Resumption(folder("kept"), communicator: communicator), .init(),
        communicator: communicator)
    }
    #expect(
      error?.error.code == .badData && error?.error.description.contains("--accept-other-data") == true,
      "\(error as Any)")
  }

  static let refusals: [(change: @Sendable (inout TrainingOptions) -> Void, code: ExitCode, words: String)] =
    [
      ({ $0.data.validation = "0.2" }, .usage, "with their own validation set"),
      ({ $0.data.target = "y" }, .usage, "leave out target"),
      ({ $0.globalBatch = 61 }, .usage, "--global-batch 61: larger than the training set"),
      ({ $0.loss = .crossEntropy }, .usage, "the targets of 'sums' are not classes"),
      (
        {
          $0.model = ModelSpecification([Center(), Dense()])
          $0.microBatch = 2
        }, .usage, "--micro-batch 2: a layer of 'center dense' looks at the whole batch"
      ),
      ({ $0.data = DataOptions(named: "broken") { throw Broken() } }, .badData, "broken: no file of ours"),
    ]

  struct Broken: Error, CustomStringConvertible { let description = "no file of ours" }

  @Test(arguments: refusals.indices) func isRefusedInALine(_ index: Int) throws {
    var options = options
    Self.refusals[index].change(&options)
    let error = #expect(throws: AgreedError.self) {
      try TrainingRun(options, communicator: communicator)
    }
    #expect(error?.error.code == Self.refusals[index].code, "\(error as Any)")
    #expect(error?.error.description.contains(Self.refusals[index].words) == true, "\(error as Any)")
  }
}
