// The trainer against whole batches in double precision: however a batch is cut, its mean is the mean.
import DataFormats
import DistributedSGD
import MPI
import NeuralNet
import TestSupport
import Testing

/// The jobs that every cut is tried on: N = 50 examples, so that batches of 16 leave a last one of 2.
private func linear(batch: Int = 16) -> TrainerCase {
  TrainerCase(.random(count: 50, features: 5), Sequential(inputs: 5, Dense(1)), .squared, batch: batch)
}

private func classifier(batch: Int = 16) -> TrainerCase {
  TrainerCase(
    .random(count: 50, features: 6, classes: 4), Sequential(inputs: 6, Dense(9, .tanh), Dense(4)),
    .crossEntropy,
    batch: batch)
}

private func expectClose(
  _ training: TrainerCase, steps: Int, within tolerance: Double,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let outcome = try training.run(steps: steps)
  let expected = training.reference(steps: steps)
  for (step, (loss, exact)) in zip(outcome.losses, expected.losses).enumerated() {
    // A batch of one may have next to no loss: what is left of ŷ − y then has fewer digits than ŷ and y.
    #expect(
      abs(Double(loss) - exact) < tolerance * max(exact, 1e-3), "step \(step + 1)",
      sourceLocation: sourceLocation)
  }
  let difference = relativeDifference(outcome.parameters, expected.parameters)
  #expect(difference < tolerance, sourceLocation: sourceLocation)
}

@Suite struct TrainerTests {
  /// Shards that do not divide the batch, more shards than examples, short last batches.
  @Test(arguments: [1, 2, 3, 5, 7, 8, 16, 40]) func anyNumberOfShardsGivesTheMean(_ shards: Int) throws {
    for batch in [1, 3, 7, 16, 49, 50] {
      for var training in [linear(batch: batch), classifier(batch: batch)] {
        training.shards = shards
        training.sampling = .shuffle
        try expectClose(training, steps: 2 * training.schedule.stepsPerEpoch + 1, within: 1e-5)
      }
    }
  }

  @Test(arguments: Sampling.allCases, LastBatch.allCases)
  func samplingAndCopies(_ sampling: Sampling, _ lastBatch: LastBatch) throws {
    var training = classifier()
    training.sampling = sampling
    training.lastBatch = lastBatch
    training.copies = 3
    training.shards = 3
    try expectClose(training, steps: 25, within: 1e-5)
  }

  /// Passes of M examples add up to what one pass gives.
  @Test(arguments: [1, 2, 3, 5, 1_000]) func microBatches(_ microBatch: Int) throws {
    for base in [linear(), classifier()] {
      for shards in [1, 3] {
        var training = base
        training.shards = shards
        let whole = try training.run(steps: 20)
        training.microBatch = microBatch
        let pieces = try training.run(steps: 20)
        #expect(relativeDifference(pieces.parameters, whole.parameters.map(Double.init)) < 1e-6)
        #expect(relativeDifference(pieces.losses, whole.losses.map(Double.init)) < 1e-6)
        if microBatch == 1_000 { #expect(pieces.parameters == whole.parameters, "at most a shard") }
      }
    }
  }

  /// The last batch of 2 examples counts as a mean over 2, not over 16.
  @Test func theShortLastBatchIsAMean() throws {
    let training = linear()
    #expect(training.schedule.batchSizes == [16, 2])
    let before = try training.run(steps: 3).parameters
    let network = DoubleNetwork(training.model, before.map(Double.init))
    let last = Array(training.sample.reference[48..<50])
    let outcome = try training.run(steps: 4)
    #expect(abs(Double(outcome.losses[3]) - network.meanLoss(SquaredLoss(), last)) < 1e-6)
    let gradient = network.gradient(.squared, last)
    for i in before.indices {
      #expect(abs(Double(before[i] - outcome.parameters[i]) - 0.1 * gradient[i]) < 1e-6)
    }
  }

  @Test func theSameTwiceAndAnotherSeedNot() throws {
    var training = classifier()
    training.sampling = .shuffle
    training.shards = 3
    let first = try training.run(steps: 10)
    let second = try training.run(steps: 10)
    #expect(first.parameters == second.parameters && first.losses == second.losses)
    training.seed = 1
    #expect(try training.run(steps: 10).parameters != first.parameters)
  }

  /// The built-in set at the chapter's settings: the loss goes to that of least squares.
  @Test func airfoilLikeConverges() throws {
    let loaded = try loadData(DataOptions())
    guard case .float32(let features) = loaded.training.features else {
      Issue.record("airfoil-like has floats")
      return
    }
    let sample = Sample(features: features, targets: loaded.training.targets)
    var training = TrainerCase(
      sample, Sequential(inputs: 5, Dense(1)), .squared, parameters: [Float](repeating: 0, count: 6),
      batch: 1_500)
    training.learningRate = 0.5
    training.shards = 8
    let outcome = try training.run(steps: 400)
    #expect(abs(Double(outcome.losses[399]) - 0.241687955) < 1e-6)
    training.learningRate = 1  // above the largest stable rate, 0.953
    #expect(try training.run(steps: 400).losses[399] > 1)
  }
}

@Suite struct EvaluatorTests {
  /// Numbers that single precision holds exactly give the exact mean, in one chunk of 256 or several.
  @Test(arguments: [1, 2, 255, 256, 257, 511, 512, 1_000, 1_003]) func exactMean(_ count: Int) throws {
    let features = (0..<2 * count).map { Float($0 % 7 - 3) }
    let targets = (0..<count).map { Float($0 % 5) }
    let model = Sequential(inputs: 2, Dense(1))
    let communicator = SingleProcessCommunicator()
    let sample = Sample(features: features, targets: .values(targets))
    let dataset = try Dataset(sharing: sample.examples, over: communicator)
    let evaluator = try Evaluator(model: model, loss: .squared, dataset: dataset, communicator: communicator)
    let result = try evaluator.evaluate([2, -1, 0.5])
    let sum = (0..<count).reduce(0.0) { sum, row in
      let error = Double(2 * features[2 * row] - features[2 * row + 1] + 0.5 - targets[row])
      return sum + error * error / 2
    }
    #expect(result.loss == sum / Double(count) && result.accuracy == nil)
    #expect(try evaluator.evaluate([2, -1, 0.5]) == result)
  }

  @Test(arguments: [1, 100, 256, 700]) func classification(_ count: Int) throws {
    let sample = Sample.random(count: count, features: 6, classes: 4)
    let model = Sequential(inputs: 6, Dense(9, .relu), Dense(4))
    let parameters = randomParameters(of: model)
    let communicator = SingleProcessCommunicator()
    let dataset = try Dataset(sharing: sample.examples, over: communicator)
    let evaluator = try Evaluator(
      model: model, loss: .crossEntropy, dataset: dataset, communicator: communicator)
    let result = try evaluator.evaluate(parameters)
    let network = DoubleNetwork(model, parameters.map(Double.init))
    let exact = network.meanLoss(CrossEntropy(), sample.reference)
    #expect(abs(result.loss - exact) < 1e-6 * exact)
    let correct = sample.reference.count { example in
      let output = network.forward(example.inputs).last!
      return output.indices.max { output[$0] < output[$1] } == Int(example.target)
    }
    #expect(result.accuracy == Double(correct) / Double(count))
  }
}
