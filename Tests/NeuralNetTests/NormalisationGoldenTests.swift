// Models with batch and layer norms, trained as PyTorch trains them: losses of 50 steps, the parameters and running
// statistics after them, and inference with these.
import Foundation
import NeuralNet
import TestSupport
import Testing

/// A file of `Tests/Reference` that make_normalisation.py or make_pictures.py has written.
private struct TrainingGoldens: Decodable {
  struct Tensor: Decodable {
    let shape: [Int]
    let values: [Double]
  }

  struct Case: Decodable {
    let name, model, loss, optimizer: String
    let shape: [Int]
    let outputs, batch: Int
    let learningRate: Float
    let features: [Float]
    let targets: [Float]?
    let labels: [Int32]?
    let initial, final: [String: Tensor]
    let losses, inference: [Double]

    func arena(_ tensors: [String: Tensor], of model: Sequential) throws -> [Double] {
      try model.tensors.flatMap { tensor in
        let stored = try #require(tensors[tensor.name], "no tensor \(tensor.name)")
        try #require(stored.shape == tensor.shape)
        return stored.values
      }
    }
  }

  let cases: [Case]

  static func read(_ name: String) throws -> [Case] {
    let path = packageFolder + "/Tests/Reference/\(name).json"
    return try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path))).cases
  }
}

@Suite struct NormalisationGoldenTests {
  /// PyTorch's batch norm is that of one shard, or of the global batch however it is cut.
  @Test(arguments: [(BatchNorm.Span.shard, 1), (.global, 1), (.global, 3), (.global, 8)])
  func trainingAgreesWithPyTorch(_ span: BatchNorm.Span, _ shards: Int) throws {
    let cases = try TrainingGoldens.read("normalisation")
    #expect(
      cases.map(\.name) == [
        "batchnorm", "batchnorm at the data, adam", "batchnorm, coefficients", "batchnorm 2d",
        "batchnorm in a block", "layernorm", "layernorm of images, adam", "both",
      ])
    try compare(cases, span, shards)
  }

  /// As above: where pictures are normalised, PyTorch's batch is the global one.
  @Test(arguments: [1, 3, 8], Arithmetic.all) func picturesAgreeWithPyTorch(
    _ shards: Int, _ arithmetic: Arithmetic
  ) throws {
    let cases = try TrainingGoldens.read("pictures")
    #expect(cases.map(\.name) == ["a small lenet", "strides", "depthwise", "sequences", "blocks"])
    try compare(cases, .global, shards, arithmetic)
  }

  private func compare(
    _ cases: [TrainingGoldens.Case], _ span: BatchNorm.Span, _ shards: Int, _ arithmetic: Arithmetic = .blas
  ) throws {
    for golden in cases {
      let model = try ModelSpecification(golden.model).normalising(over: span)
        .model(input: Shape(golden.shape), outputs: golden.outputs)
      let initial = try golden.arena(golden.initial, of: model)
      let sample = Sample(
        features: golden.features,
        targets: golden.targets.map { .values($0) } ?? .labels(golden.labels!, classCount: golden.outputs))
      var training = TrainerCase(
        sample, model, try Catalog.loss(golden.loss), parameters: initial.map(Float.init), batch: golden.batch
      )
      training.shards = shards
      training.arithmetic = arithmetic
      training.learningRate = golden.learningRate
      let outcome = try training.run(steps: 50, optimizer: try Catalog.optimizer(golden.optimizer))
      #expect(golden.losses.count == 50)
      for (step, (loss, expected)) in zip(outcome.losses, golden.losses).enumerated() {
        #expect(abs(Double(loss) - expected) <= 1e-5 * expected, "\(golden.name), step \(step + 1)")
      }
      let final = try golden.arena(golden.final, of: model)
      for tensor in model.tensors {
        // A bias in front of a batch norm has no gradient but rounding, which Adam makes a step of.
        let isIdle = zip(initial[tensor.range], final[tensor.range]).allSatisfy { abs($0 - $1) < 1e-6 }
        let difference = relativeDifference(
          outcome.parameters[tensor.range], Array(final[tensor.range]))
        #expect(difference <= 1e-5 || isIdle, "\(golden.name) \(tensor.name): \(difference)")
      }
      let rows = golden.inference.count / golden.outputs
      let network = Network(model, maximumRows: rows)
      let output = network.forward(parameters: outcome.parameters, input: golden.features, rows: rows)
      let inference = withExtendedLifetime(network) {
        relativeDifference(golden.inference.indices.map { output[$0] }, golden.inference)
      }
      #expect(inference <= 1e-5, "\(golden.name), inference: \(inference)")
    }
  }
}
