// The noise of single examples' gradients, told from the gradients of batches and of their halves.
import DataFormats
import DistributedSGD
import NeuralNet
import TestSupport
import Testing

/// Six vectors that stand for the gradients of six examples.
private let gradients: [[Double]] = [
  [1, 2, -1], [0.5, -3, 2], [4, 1, 0], [-2, 0.25, 1], [3, 3, 3], [0, -1, -0.5],
]

private func mean(_ vectors: [[Double]]) -> [Double] {
  vectors[0].indices.map { i in vectors.reduce(0) { $0 + $1[i] } / Double(vectors.count) }
}

private func square(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 } }

/// What a batch says whose first `left` examples are one half.
private func sample(_ batch: [[Double]], left: Int, population: Int?) -> NoiseSample {
  func half(_ part: ArraySlice<[Double]>) -> (count: Int, square: Double) {
    let share = Double(part.count) / Double(batch.count)
    return (part.count, square(mean(Array(part)).map { share * $0 }))
  }
  return NoiseSample(
    left: half(batch[..<left]), right: half(batch[left...]), squaredNorm: square(mean(batch)),
    population: population)
}

@Suite struct NoiseScaleTests {
  private let squaredNorm = square(mean(gradients))
  private let trace = gradients.reduce(0) { $0 + square(zip($1, mean(gradients)).map(-)) } / 6

  /// Every ordered batch of four of the six, in halves of unequal size: the averages are what they estimate, exactly.
  @Test(arguments: [1, 2, 3]) func unbiasedWithoutReplacement(_ left: Int) {
    var samples: [NoiseSample] = []
    func draw(_ chosen: [Int]) {
      if chosen.count == 4 {
        samples.append(sample(chosen.map { gradients[$0] }, left: left, population: 6))
        return
      }
      for next in 0..<6 where !chosen.contains(next) { draw(chosen + [next]) }
    }
    draw([])
    let count = Double(samples.count)
    #expect(count == 360)
    // Without replacement Σ is that of a sample, over N − 1.
    #expect(abs(samples.reduce(0) { $0 + $1.covarianceTrace } / count - trace * 6 / 5) < 1e-12 * trace)
    #expect(abs(samples.reduce(0) { $0 + $1.squaredNorm } / count - squaredNorm) < 1e-12 * trace)
  }

  @Test func unbiasedWithReplacement() {
    var samples: [NoiseSample] = []
    for a in gradients {
      for b in gradients {
        for c in gradients { samples.append(sample([a, b, c], left: 2, population: nil)) }
      }
    }
    #expect(abs(samples.reduce(0) { $0 + $1.covarianceTrace } / 216 - trace) < 1e-12 * trace)
    #expect(abs(samples.reduce(0) { $0 + $1.squaredNorm } / 216 - squaredNorm) < 1e-12 * trace)
  }

  /// The halves of a real step are those of the tree: the shards up to a power of two, and the rest.
  @Test(
    arguments: [(2, nil), (3, nil), (5, nil), (8, nil), (8, 1), (13, 2)] as [(Int, Int?)],
    [.blas, .portable(Instructions.available[0])] as [Arithmetic])
  func halvesOfSteps(_ cut: (shards: Int, microBatch: Int?), _ arithmetic: Arithmetic) throws {
    let model = try Sequential([Dense(7), Activation.tanh, Dense(3)], input: Shape(4))
    var training = TrainerCase(
      .random(count: 45, features: 4, classes: 3), model, CrossEntropy(), batch: 26)
    (training.shards, training.microBatch) = (cut.shards, cut.microBatch)
    (training.arithmetic, training.learningRate, training.measuresNorms) = (arithmetic, 0, true)
    let outcome = try training.run(steps: 2)
    #expect(outcome.noise.count == 2)
    let network = DoubleNetwork(model, training.parameters.map(Double.init))
    var half = 1
    while 2 * half < cut.shards { half *= 2 }
    for (step, found) in outcome.noise.enumerated() {
      let positions = training.schedule.positions(step: step)
      let batch = positions.map { training.sample.reference[$0] }
      let shards = Shards(count: cut.shards, worldSize: 1)
      let left = shards.examples(of: half, batch: batch.count).lowerBound
      let expected = sample(
        batch.map { network.gradient(training.loss, [$0]) }, left: left, population: 45)
      #expect(abs(found.covarianceTrace - expected.covarianceTrace) < 1e-4 * expected.covarianceTrace)
      #expect(abs(found.squaredNorm - expected.squaredNorm) < 1e-4 * expected.covarianceTrace)
    }
  }

  /// One shard, or a last batch in one half of the tree, has nothing to compare.
  @Test func nothingIsToldOfOneHalf() throws {
    let model = Sequential(inputs: 4, Dense(1))
    var training = TrainerCase(.random(count: 12, features: 4), model, SquaredLoss(), batch: 10)
    training.measuresNorms = true
    #expect(try training.run(steps: 2).noise.isEmpty)
    training.shards = 8
    // The second batch has two examples, and so two shards of the four of the left half.
    #expect(try training.run(steps: 2).noise.count == 1)
  }

  /// Measuring changes no bit.
  @Test(arguments: [.blas, .portable(Instructions.available[0])] as [Arithmetic])
  func measuringChangesNothing(
    _ arithmetic: Arithmetic
  ) throws {
    let model = try Sequential([Dense(20), Activation.relu, Dense(3)], input: Shape(30))
    var training = TrainerCase(
      .random(count: 90, features: 30, classes: 3), model, CrossEntropy(), batch: 64)
    (training.shards, training.arithmetic) = (8, arithmetic)
    let plain = try training.run(steps: 5)
    training.measuresNorms = true
    let measured = try training.run(steps: 5)
    #expect(measured.noise.count == 5 && measured.parameters == plain.parameters)
    #expect(measured.losses == plain.losses)
  }

  /// The k-th sample weighs k(k + 1)(k + 2).
  @Test func laterSamplesWeighMore() {
    var scale = NoiseScale()
    #expect(scale.value == nil)
    var (trace, norm, weights) = (0.0, 0.0, 0.0)
    for k in 1...50 {
      let (a, b) = (Double(k % 7), Double(k % 5) + 1)
      scale.add(NoiseSample(covarianceTrace: a, squaredNorm: b))
      let weight = Double(k * (k + 1) * (k + 2))
      trace += weight * a
      norm += weight * b
      weights += weight
      #expect(abs(scale.covarianceTrace - trace / weights) < 1e-12)
      #expect(abs(scale.squaredNorm - norm / weights) < 1e-12)
    }
    #expect(scale.value == scale.covarianceTrace / scale.squaredNorm)
    scale.add(NoiseSample(covarianceTrace: 1, squaredNorm: -1e9))
    #expect(scale.value == nil)
  }
}
