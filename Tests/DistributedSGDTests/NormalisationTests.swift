// Batch norms in training: against the formulas in double precision, with the running statistics after every step.
import NeuralNet
import TestSupport
import Testing

/// How batches are cut.
struct NormalisationCut: Sendable, CustomTestStringConvertible {
  let batch, shards: Int
  var microBatch: Int?

  var testDescription: String {
    "batches of \(batch), \(shards) shards\(microBatch.map { ", \($0) at a time" } ?? "")"
  }

  /// The examples of each piece of a batch.
  func pieces(of count: Int) -> [Int] {
    (0..<min(shards, count)).flatMap { shard -> [Int] in
      let whole = count / shards + (shard < count % shards ? 1 : 0)
      let size = microBatch ?? whole
      return stride(from: 0, to: whole, by: size).map { min(size, whole - $0) }
    }
  }
}

@Suite struct NormalisationTrainingTests {
  private static let models: [([any Layer], Shape)] = [
    ([Dense(6), BatchNorm(), Activation.tanh, Dense(3)], Shape(6)),
    ([Dense(6), BatchNorm(over: .global), Activation.tanh, Dense(3)], Shape(6)),
    (
      [BatchNorm(over: .global, momentum: 0.3), Dense(5), LayerNorm(), Activation.sigmoid, Dense(3)],
      Shape(3, 1, 2)
    ),
    (
      [
        BatchNorm(), Residual([Dense(6), BatchNorm(over: .global), Activation.tanh, Dense(6)]),
        Activation.gelu, Dense(3),
      ], Shape(2, 3, 1)
    ),
  ]

  /// Batches of 50 examples: short last ones, shards of one example, shards that hold nothing.
  @Test(
    arguments: [
      NormalisationCut(batch: 16, shards: 1), NormalisationCut(batch: 16, shards: 3),
      NormalisationCut(batch: 16, shards: 8), NormalisationCut(batch: 50, shards: 13),
      NormalisationCut(batch: 50, shards: 3, microBatch: 4),
    ], models.indices)
  func agreesWithTheFormulas(_ cut: NormalisationCut, _ index: Int) throws {
    let (layers, shape) = Self.models[index]
    let model = try Sequential(layers, input: shape)
    let isGlobal = model.needsGlobalBatch
    let sample = Sample.random(count: 50, features: 6, classes: 3)
    var training = TrainerCase(
      sample, model, CrossEntropy(), parameters: variedParameters(of: model), batch: cut.batch)
    training.shards = cut.shards
    training.microBatch = isGlobal ? nil : cut.microBatch
    let pieces = NormalisationCut(
      batch: cut.batch, shards: cut.shards, microBatch: isGlobal ? nil : cut.microBatch)
    let outcome = try training.run(steps: 8)

    var exact = DoubleBatch(model, training.parameters.map(Double.init))
    for step in 0..<8 {
      let positions = training.schedule.positions(step: step % training.schedule.stepsPerEpoch)
      let batch = positions.map { sample.reference[$0] }
      exact.shards = pieces.pieces(of: batch.count)
      let loss = try exact.meanLoss(training.loss, batch)
      #expect(abs(Double(outcome.losses[step]) - loss) < 1e-5 * loss, "step \(step + 1)")
      let gradient = try exact.differences(training.loss, batch)
      let measured = try exact.statistics(batch)
      for tensor in model.tensors {
        if case .statistic(let momentum, _) = tensor.role {
          for i in tensor.range {
            // Mean and variance are measured together.
            let start = measured.keys.filter { $0 <= i }.max()!
            exact.parameters[i] += momentum * (measured[start]![i - start] - exact.parameters[i])
          }
        } else {
          for i in tensor.range { exact.parameters[i] -= Double(training.learningRate) * gradient[i] }
        }
      }
    }
    for tensor in model.tensors {
      let difference = relativeDifference(
        outcome.parameters[tensor.range], Array(exact.parameters[tensor.range]))
      #expect(difference < 2e-5, "\(tensor.name): \(difference)")
    }
  }
}
