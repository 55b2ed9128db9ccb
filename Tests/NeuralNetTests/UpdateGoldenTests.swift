// Optimizers, clipping, exemptions from decay and schedules: the same numbers as PyTorch's, or as the papers' formulas.
import DataFormats
import Foundation
import NeuralNet
import TestSupport
import Testing

/// `Tests/Reference/updates.json`, written by make_updates.py.
private struct Updates: Decodable {
  struct Tensor: Decodable {
    let shape: [Int]
    let values: [Double]
  }

  struct Case: Decodable {
    let name, model, loss, optimizer: String
    let inputs, outputs, batch, steps: Int
    let learningRate: Float
    let clipNorm, clipValue: Double?
    let noDecayFor: [String]?
    let features: [Float]
    let targets: [Float]?
    let labels: [Int32]?
    let initial, final: [String: Tensor]
    let losses, norms: [Double]
  }

  struct Schedule: Decodable {
    let word: String
    let stepsPerEpoch, totalSteps: Int
    let factors: [Double]
  }

  let cases: [Case]
  let schedules: [Schedule]

  static func read() throws -> Updates {
    let path = packageFolder + "/Tests/Reference/updates.json"
    return try JSONDecoder().decode(Updates.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }
}

extension Updates.Case {
  fileprivate func training(_ arithmetic: Arithmetic) throws -> TrainerCase {
    let sample =
      if let targets {
        Sample(features: features, targets: .values(targets))
      } else {
        Sample(
          features: features, targets: .labels(try #require(labels), classCount: max(2, outputs)))
      }
    let model = try ModelSpecification(model).model(input: Shape(inputs), outputs: outputs)
    var training = TrainerCase(
      sample, model, try Catalog.loss(loss), parameters: try arena(initial, of: model).map(Float.init),
      batch: batch)
    training.learningRate = learningRate
    training.clipping = clipNorm.map(Clipping.norm) ?? clipValue.map(Clipping.value)
    training.noDecayFor = Set(try (noDecayFor ?? []).map { try #require(DecayExemption(rawValue: $0)) })
    training.arithmetic = arithmetic
    training.measuresNorms = true
    return training
  }

  /// Tensors by PyTorch's names as one arena.
  fileprivate func arena(_ tensors: [String: Updates.Tensor], of model: Sequential) throws -> [Double] {
    try model.tensors.flatMap { tensor in
      let stored = try #require(tensors[tensor.name], "no tensor \(tensor.name)")
      try #require(stored.shape == tensor.shape)
      return stored.values
    }
  }
}

@Suite struct UpdateGoldenTests {
  /// Fifty steps in sequential batches of 16 of 50 examples, by both arithmetics, cut into shards and micro-batches.
  @Test(arguments: [(1, nil), (3, 2), (8, nil)] as [(Int, Int?)], [true, false])
  func updatesAgree(_ cut: (shards: Int, microBatch: Int?), _ isPortable: Bool) throws {
    let cases = try Updates.read().cases
    let names = Set(cases.map { $0.optimizer.prefix { $0 != ":" } })
    #expect(names == ["sgd", "adagrad", "rmsprop", "adadelta", "adam", "adamw", "lars", "lamb"])
    #expect(cases.contains { $0.clipNorm != nil } && cases.contains { $0.clipValue != nil })
    for golden in cases {
      var training = try golden.training(isPortable ? .portable(Instructions.available[0]) : .blas)
      training.shards = cut.shards
      training.microBatch = cut.microBatch
      let outcome = try training.run(steps: golden.steps, optimizer: Catalog.optimizer(golden.optimizer))
      #expect(golden.steps == 50 && outcome.losses.count == 50 && outcome.norms.count == 50)
      for step in 0..<golden.steps {
        let (loss, expected) = (Double(outcome.losses[step]), golden.losses[step])
        #expect(abs(loss - expected) <= 1e-5 * expected, "\(golden.name), step \(step + 1): \(loss)")
        let (norm, expectedNorm) = (outcome.norms[step], golden.norms[step])
        #expect(
          abs(norm - expectedNorm) <= 2e-5 * expectedNorm, "\(golden.name), norm of step \(step + 1): \(norm)"
        )
      }
      let final = try golden.arena(golden.final, of: training.model)
      for tensor in training.model.tensors {
        let last = relativeDifference(outcome.parameters[tensor.range], Array(final[tensor.range]))
        #expect(last <= 1e-5, "\(golden.name) \(tensor.name): \(last)")
      }
    }
  }

  /// What the options do is to be seen: without them the goldens would not agree.
  @Test func withoutClippingAndExemptionsItIsAnother() throws {
    for golden in try Updates.read().cases {
      var training = try golden.training(.blas)
      guard training.clipping != nil || !training.noDecayFor.isEmpty else { continue }
      training.clipping = nil
      training.noDecayFor = []
      let outcome = try training.run(steps: golden.steps, optimizer: Catalog.optimizer(golden.optimizer))
      let final = try golden.arena(golden.final, of: training.model)
      #expect(relativeDifference(outcome.parameters, final) > 1e-4, "\(golden.name)")
    }
  }

  /// Every factor of some runs, against PyTorch's schedulers and formulas of papers.
  @Test func schedulesAgree() throws {
    let schedules = try Updates.read().schedules
    #expect(
      Set(schedules.map { $0.word.prefix { $0 != ":" && $0 != " " && $0 != "|" } }) == [
        "constant", "step", "exponential", "polynomial", "cosine", "one-cycle", "inverse-sqrt",
      ])
    for golden in schedules {
      let parts = golden.word.split(separator: "|", maxSplits: 1).map(String.init)
      let schedule = try Catalog.schedule(parts[0])
      #expect(try Catalog.schedule(schedule.description).description == schedule.description)
      let warmUp = parts.count == 2 ? try WarmUp(parts[1]) : nil
      if let warmUp { #expect(try WarmUp(warmUp.description) == warmUp) }
      #expect(golden.factors.count == golden.totalSteps)
      for (step, expected) in golden.factors.enumerated() {
        let moment = ScheduleMoment(
          step: step, stepsPerEpoch: golden.stepsPerEpoch, totalSteps: golden.totalSteps)
        let factor = warmUp?.factor(schedule, moment) ?? schedule.factor(moment)
        #expect(
          abs(factor - expected) <= 1e-12 * max(1e-3, expected), "\(golden.word), step \(step): \(factor)")
      }
    }
  }

  @Test(arguments: [
    ("exponential", "needs a factor"), ("exponential:factor=0", "above 0"),
    ("polynomial:power=101", "at most 100"),
    ("one-cycle:rise=1", "below 1"), ("inverse-sqrt:after=x", "4000 or 1epoch"),
    ("cosine cosin", "no schedule"),
    ("step:every=2", "should be like"), ("one-cycle:up=1", "up"),
  ]) func whatIsNoSchedule(_ text: String, _ reason: String) {
    #expect {
      _ = try Catalog.schedule(text)
    } throws: { "\($0)".contains(reason) }
  }

  @Test(arguments: ["", "x", "5x", "0", "-1", "5epochs,from=1", "5,to=1", "5,from=x"])
  func whatIsNoWarmUp(_ text: String) {
    #expect(throws: WordError.self) { _ = try WarmUp(text) }
  }
}
