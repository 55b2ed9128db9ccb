// The same training as PyTorch's: losses of 20 or 50 steps and the parameters after them.
import DataFormats
import Foundation
import NeuralNet
import TestSupport
import Testing

/// `Tests/Reference/goldens.json`, written by make_goldens.py.
private struct Goldens: Decodable {
  struct Tensor: Decodable {
    let shape: [Int]
    let values: [Float]
  }

  struct Case: Decodable {
    let name: String
    let model: String
    let activation: String?
    let loss: String
    /// nil: plain SGD.
    let optimizer: String?
    let examples, inputs, outputs, batch, steps: Int
    let learningRate: Float
    let features: [Float]
    let targets: [Float]?
    let labels: [Int32]?
    let initial, firstGradient, final: [String: Tensor]
    let losses: [Float]
  }

  let torch: String
  let cases: [Case]

  static func read() throws -> Goldens {
    let path = packageFolder + "/Tests/Reference/goldens.json"
    return try JSONDecoder().decode(Goldens.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }
}

extension Goldens.Case {
  func sequential() throws -> Sequential {
    let activation = try activation.map { try #require(Activation(rawValue: $0)) } ?? .relu
    return try ModelSpecification(model, activation: activation)
      .model(input: Shape(inputs), outputs: outputs)
  }

  func sample() throws -> Sample {
    if let targets { return Sample(features: features, targets: .values(targets)) }
    return Sample(features: features, targets: .labels(try #require(labels), classCount: max(2, outputs)))
  }

  /// Tensors by PyTorch's names as one arena.
  fileprivate func arena(_ tensors: [String: Goldens.Tensor], of model: Sequential) throws -> [Float] {
    try model.tensors.flatMap { tensor in
      let stored = try #require(tensors[tensor.name], "no tensor \(tensor.name)")
      try #require(stored.shape == tensor.shape)
      return stored.values
    }
  }
}

/// Remembers the first gradient it is given, and updates as another optimizer does.
private final class FirstGradient: Optimizer, @unchecked Sendable {
  // Unchecked: one thread trains, and then reads.
  private(set) var gradient: [Float]
  private let optimizer: any Optimizer

  static let names = ["first-gradient"]
  static let form = "first-gradient"
  var description: String { "first-gradient" }

  init(count: Int, _ optimizer: any Optimizer) {
    gradient = [Float](repeating: .nan, count: count)
    self.optimizer = optimizer
  }

  init(_ word: Word) {
    gradient = []
    optimizer = SGD()
  }

  var states: [String] { optimizer.states }

  func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float) {
    if step == 1 { for i in 0..<part.count { gradient[part.offset + i] = part.gradient[i] } }
    optimizer.update(part, step: step, learningRate: learningRate)
  }
}

@Suite struct GoldenTests {
  /// Sequential batches of 16 of 50 examples, so that every fourth has 2; cut into 1 and 3 shards, whole and in
  /// micro-batches.
  @Test(arguments: [(1, nil), (3, nil), (3, 2), (8, nil)] as [(Int, Int?)])
  func trainingAgreesWithPyTorch(_ shards: Int, _ microBatch: Int?) throws {
    let cases = try Goldens.read().cases
    #expect(
      cases.map(\.name) == [
        "linear", "relu", "tanh", "sigmoid", "heavy ball", "nesterov", "weight decay", "momentum and decay",
        "adam",
        "adam, coefficients", "adamw", "adamw, decay", "gelu", "residual", "residual with adam", "huber",
        "small huber", "binary", "logistic",
      ])
    for golden in cases {
      let model = try golden.sequential()
      var training = TrainerCase(
        try golden.sample(), model, try Catalog.loss(golden.loss),
        parameters: try golden.arena(golden.initial, of: model), batch: golden.batch)
      training.shards = shards
      training.microBatch = microBatch
      training.learningRate = golden.learningRate
      let optimizer = FirstGradient(
        count: model.parameterCount, try Catalog.optimizer(golden.optimizer ?? "sgd"))
      let outcome = try training.run(steps: golden.steps, optimizer: optimizer)
      let steps = golden.name == golden.activation || golden.name == "linear" ? 20 : 50
      #expect(outcome.losses.count == steps && golden.losses.count == steps)
      for (step, (loss, expected)) in zip(outcome.losses, golden.losses).enumerated() {
        #expect(abs(loss - expected) <= 1e-5 * expected, "\(golden.name), step \(step + 1)")
      }
      let gradient = try golden.arena(golden.firstGradient, of: model)
      let final = try golden.arena(golden.final, of: model)
      for tensor in model.tensors {
        let name = "\(golden.name) \(tensor.name)"
        let first = relativeDifference(
          optimizer.gradient[tensor.range], gradient[tensor.range].map(Double.init))
        #expect(first <= 1e-5, "\(name), first gradient")
        let last = relativeDifference(outcome.parameters[tensor.range], final[tensor.range].map(Double.init))
        #expect(last <= 1e-5, "\(name) after \(steps) steps")
      }
    }
  }
}
