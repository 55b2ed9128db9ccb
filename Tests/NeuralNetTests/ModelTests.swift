// Models by name and by their layers, and the places of their parameters.
import NeuralNet
import Testing

@Suite struct ModelTests {
  @Test(arguments: [
    ("linear", "dense:2"), ("softmax", "dense:2"), ("mlp:8", "dense:8 relu dense:2"),
    ("mlp:256,128", "dense:256 relu dense:128 relu dense:2"), ("dense", "dense:2"),
    (
      "dense:256 relu dropout:0.2 residual(dense:256 relu) dense",
      "dense:256 relu dropout:0.2 residual(dense:256 relu) dense:2"
    ),
    ("residual( dense:3  gelu ) tanh\tdense", "residual(dense:3 gelu) tanh dense:2"),
  ]) func names(_ text: String, _ layers: String) throws {
    let specification = try ModelSpecification(text)
    #expect(specification.description == text)
    let model = try specification.model(input: Shape(3), outputs: 2)
    #expect(model.text == layers)
    #expect(try ModelSpecification(layers).model(input: Shape(3), outputs: 2).tensors == model.tensors)
  }

  /// The word at fault, and what is said of it.
  @Test(arguments: [
    ("", "", "no layer"), ("Linear", "Linear", "no model 'Linear'"), ("linear:3", "linear:3", "'3'"),
    ("mlp", "mlp", "widths"), ("mlp:", "mlp:", "missing"), ("mlp:8,", "mlp:8,", "missing"),
    ("mlp:0", "mlp:0", "from 1 to"), ("mlp:-3", "mlp:-3", "'-3'"),
    ("mlp:1000001", "mlp:1000001", "to 1000000"),
    ("mlp:8:9", "mlp:8:9", "'8:9'"), ("mlp:8.0", "mlp:8.0", "'8.0'"),
    ("mlp:8 dense", "mlp:8", "no layer 'mlp'"),
    ("dense:8 rleu dense", "rleu", "no layer 'rleu'"), ("dense:8,9", "dense:8,9", "'9'"),
    ("dense:outputs=9", "dense:outputs=9", "outputs"), ("dropout", "dropout", "rate is missing"),
    ("dropout:1", "dropout:1", "below 1"), ("dropout:0x0p1", "dropout:0x0p1", "number"),
    ("dropout:nan", "dropout:nan", "number"), ("residual", "residual", "layers are missing"),
    ("residual()", "residual()", "layers are missing"),
    ("residual(dense:3", "residual(dense:3", "not closed"),
    ("dense:3)", ")", "closes nothing"), ("relu(dense:3)", "relu(dense:3)", "no words in parentheses"),
    ("residual(dense:3 residual(tnah))", "tnah", "no layer 'tnah'"),
    (String(repeating: "residual(", count: 40), "residual", "too many"),
  ]) func whatIsNoModel(_ text: String, _ token: String, _ reason: String) {
    #expect {
      _ = try ModelSpecification(text)
    } throws: { error in
      guard let error = error as? WordError else { return false }
      return error.token == token && "\(error)".contains(reason)
    }
  }

  @Test(arguments: [
    ("dense:3 relu dense:4", "makes 4 numbers"), ("dense relu dense", "can only be the last"),
    ("residual(dense:4) dense", "makes 4 numbers of 3".replacing("makes", with: "make")),
    ("relu", "makes 3 numbers"),
  ]) func whatDoesNotFit(_ text: String, _ reason: String) throws {
    let specification = try ModelSpecification(text)
    #expect {
      _ = try specification.model(input: Shape(3), outputs: 2)
    } throws: { "\($0)".contains(reason) }
  }

  @Test func oneLayerIsDrawnAsInTheChapter() throws {
    guard case .normal = ModelSpecification.linear.initialization,
      case .uniform = try ModelSpecification("mlp:7,3", activation: .tanh).initialization
    else {
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

  /// A block's parameters are named as those of an `nn.Sequential` within another.
  @Test func blocks() throws {
    let model = try ModelSpecification("dense:4 residual(dense:6 relu dense:4) dense")
      .model(input: Shape(1, 2, 3), outputs: 1)
    #expect(
      model.tensors.map(\.name) == [
        "0.weight", "0.bias", "1.0.weight", "1.0.bias", "1.2.weight", "1.2.bias", "2.weight", "2.bias",
      ])
    #expect(model.tensors[0].shape == [4, 6], "an image is a row of numbers to a dense layer")
    #expect(model.forwardOperations == 2 * (24 + 24 + 24 + 4))
  }

  /// An interval of more steps than fit an integer never ends.
  @Test func theLongestSchedule() throws {
    let text = "step:every=9223372036854775807epoch,factor=0.5"
    let schedule = try Catalog.schedule(text)
    #expect(schedule.description == text)
    #expect(schedule.factor(ScheduleMoment(step: 1_000_000, stepsPerEpoch: 12, totalSteps: 2_000_000)) == 1)
  }

  @Test func cosine() throws {
    let schedule = try Catalog.schedule("cosine:floor=0.1")
    let factors = [0, 25, 50, 100, 130].map {
      schedule.factor(ScheduleMoment(step: $0, stepsPerEpoch: 10, totalSteps: 100))
    }
    for (factor, expected) in zip(factors, [1, 0.1 + 0.9 * (1 + 0.5.squareRoot()) / 2, 0.55, 0.1, 0.1]) {
      #expect(abs(factor - expected) < 1e-12)
    }
    #expect(schedule.dependsOnLength)
  }
}
