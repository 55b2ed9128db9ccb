// Models by name, their layers and the places of their parameters.
import NeuralNet
import Testing

@Suite struct ModelTests {
  @Test(arguments: [
    ("linear", ModelSpecification.Kind.linear), ("softmax", .softmax), ("mlp:8", .mlp(hidden: [8], .relu)),
    ("mlp:256,128", .mlp(hidden: [256, 128], .relu)),
    ("mlp:1,1000000,3,4", .mlp(hidden: [1, 1_000_000, 3, 4], .relu)),
  ]) func names(_ text: String, _ kind: ModelSpecification.Kind) throws {
    let specification = try #require(ModelSpecification(text))
    #expect(specification.kind == kind)
    #expect(specification.description == text)
  }

  @Test(arguments: [
    "", "Linear", " linear", "linear:", "linear:3", "softmax,", "mlp", "mlp:", "mlp:8,", "mlp:,8", "mlp:8,,8",
    "mlp:0",
    "mlp:-3", "mlp:1000001", "mlp:8:9", "mlp:8.0", "mlp: 8", "mlp:eight", "mlp:99999999999999999999",
    "xmlp:8",
  ]) func whatIsNoName(_ text: String) { #expect(ModelSpecification(text) == nil) }

  @Test func layersAndActivations() throws {
    let linear = try #require(ModelSpecification("linear"))
    #expect(linear.model(inputs: 5, outputs: 1).layers == [.dense(inputs: 5, outputs: 1)])
    #expect(linear.activation == nil)
    let mlp = try #require(ModelSpecification("mlp:7,3", activation: .tanh))
    #expect(mlp.activation == .tanh)
    #expect(
      mlp.model(inputs: 5, outputs: 2).layers == [
        .dense(inputs: 5, outputs: 7), .activation(.tanh), .dense(inputs: 7, outputs: 3), .activation(.tanh),
        .dense(inputs: 3, outputs: 2),
      ])
    guard case .normal = linear.initialization, case .uniform = mlp.initialization else {
      Issue.record("one layer is drawn as in the chapter, several as in PyTorch")
      return
    }
  }

  /// PyTorch's names and shapes, one after the other without gaps.
  @Test func arena() {
    let model = Sequential(inputs: 5, Dense(7, .relu), Dense(2))
    #expect(model.tensors.map(\.name) == ["0.weight", "0.bias", "2.weight", "2.bias"])
    #expect(model.tensors.map(\.shape) == [[7, 5], [7], [2, 7], [2]])
    #expect(model.tensors.map(\.offset) == [0, 35, 42, 56])
    #expect(model.parameterCount == 58)
    #expect(model.inputCount == 5 && model.outputCount == 2)
    #expect(model.forwardOperations == 2 * (35 + 14))
  }

  /// An interval of more steps than fit an integer never ends.
  @Test func theLongestSchedule() throws {
    let text = "step:every=9223372036854775807epoch,factor=0.5"
    let schedule = try #require(LearningRateSchedule(text))
    #expect(schedule.description == text)
    #expect(schedule.factor(step: 1_000_000, stepsPerEpoch: 12) == 1)
  }
}
