// Layers that ask for sums over the global batch: against the formula of the whole batch, however it is cut.
import NeuralNet
import RandomNumbers
import TestSupport
import Testing

/// Remembers the first gradient it is given, and updates as SGD does.
private final class FirstGradient: Optimizer, @unchecked Sendable {
  // Unchecked: one thread trains, and then reads.
  private(set) var gradient: [Float]

  static let names = ["first-gradient"]
  static let form = "first-gradient"
  var description: String { "first-gradient" }

  init(count: Int) { gradient = [Float](repeating: .nan, count: count) }
  init(_ word: Word) { gradient = [] }

  func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float) {
    if step == 1 { for i in 0..<part.count { gradient[part.offset + i] = part.gradient[i] } }
    SGD().update(part, step: step, learningRate: learningRate)
  }
}

@Suite struct GlobalBatchTests {
  private static let models: [[any Layer]] = [
    [Dense(6), Center(), Activation.tanh, Dense(3)],
    // At the data, where nobody asks for ∂loss/∂x, and at the end.
    [Center(), Dense(7), Activation.sigmoid, Dense(3), Center()],
    [
      Dense(6), Residual([Dense(5), Center(), Activation.tanh, Residual([Center()]), Dense(6)]), Center(),
      Activation.gelu, Dense(3),
    ],
  ]

  /// Batches of `batch` of 50 examples: short last ones, shards that hold nothing, micro-batches that cannot be.
  @Test(arguments: [(16, 1), (16, 3), (16, 8), (5, 8), (50, 13)], models.indices)
  func agreesWithTheWholeBatch(_ cut: (batch: Int, shards: Int), _ index: Int) throws {
    let model = try Sequential(Self.models[index], input: Shape(6))
    #expect(model.needsGlobalBatch)
    let sample = Sample.random(count: 50, features: 6, classes: 3)
    var training = TrainerCase(sample, model, CrossEntropy(), batch: cut.batch)
    // Factors of 1 would hide a factor too many.
    let draws = Philox(seed: 5, purpose: .syntheticData)
    for tensor in model.tensors where tensor.role == .scale {
      for i in tensor.range { training.parameters[i] = Float(0.5 + draws.uniform(UInt64(i))) }
    }
    training.shards = cut.shards
    training.microBatch = 2
    let optimizer = FirstGradient(count: model.parameterCount)
    let outcome = try training.run(steps: 9, optimizer: optimizer)

    var exact = DoubleBatch(model, training.parameters.map(Double.init))
    for step in 0..<9 {
      let positions = training.schedule.positions(step: step % training.schedule.stepsPerEpoch)
      let batch = positions.map { sample.reference[$0] }
      let loss = try exact.meanLoss(training.loss, batch)
      #expect(abs(Double(outcome.losses[step]) - loss) < 1e-5 * loss, "step \(step + 1)")
      let gradient = try exact.differences(training.loss, batch)
      if step == 0 {
        let largest = gradient.map(abs).max()!
        for tensor in model.tensors {
          for i in tensor.range {
            #expect(
              abs(Double(optimizer.gradient[i]) - gradient[i]) < 2e-6 * largest, "\(tensor.name): \(i)")
          }
        }
      }
      for i in gradient.indices { exact.parameters[i] -= Double(training.learningRate) * gradient[i] }
    }
    #expect(relativeDifference(outcome.parameters, exact.parameters) < 1e-5)
  }

  /// The mean of a shard would be another one: the test above can fail.
  @Test func aShardsMeanIsAnother() throws {
    let sample = Sample.random(count: 16, features: 6, classes: 3)
    let model = try Sequential(Self.models[0], input: Shape(6))
    let exact = DoubleBatch(model, randomParameters(of: model).map(Double.init))
    let whole = try exact.meanLoss(CrossEntropy(), sample.reference)
    let halves = try [0..<8, 8..<16].map {
      try exact.meanLoss(CrossEntropy(), Array(sample.reference[$0]))
    }
    #expect(abs((halves[0] + halves[1]) / 2 - whole) > 1e-3 * whole)
  }
}
