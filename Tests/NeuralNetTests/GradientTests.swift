// Gradients against central differences in double precision: every layer kind, both losses.
import DataFormats
import NeuralNet
import TestSupport
import Testing

/// A model, its loss and how many examples it is tried on.
struct GradientCase: Sendable, CustomTestStringConvertible {
  let name: String
  let model: Sequential
  let loss: any Loss
  var rows = 9

  var testDescription: String { "\(name), \(rows) rows" }

  var sample: Sample {
    .random(
      count: rows, features: model.inputCount,
      classes: loss.targets == .values ? nil : max(2, model.outputCount))
  }

  /// Whether the reference has its chain rule written out.
  var hasChainRule: Bool { model.layers.allSatisfy { $0 is Dense || $0 is Activation } }

  static let all: [GradientCase] = [
    // One output and at most 8 inputs: a vector a row. More of either: BLAS.
    GradientCase(name: "dense 5 to 1", model: Sequential(inputs: 5, Dense(1)), loss: SquaredLoss()),
    GradientCase(name: "dense 5 to 1", model: Sequential(inputs: 5, Dense(1)), loss: SquaredLoss(), rows: 1),
    GradientCase(name: "dense 1 to 1", model: Sequential(inputs: 1, Dense(1)), loss: SquaredLoss()),
    GradientCase(name: "dense 8 to 1", model: Sequential(inputs: 8, Dense(1)), loss: SquaredLoss(), rows: 10),
    GradientCase(name: "dense 9 to 1", model: Sequential(inputs: 9, Dense(1)), loss: SquaredLoss()),
    GradientCase(name: "dense 65 to 1", model: Sequential(inputs: 65, Dense(1)), loss: SquaredLoss()),
    GradientCase(name: "softmax", model: Sequential(inputs: 5, Dense(3)), loss: CrossEntropy()),
    GradientCase(name: "softmax", model: Sequential(inputs: 70, Dense(12)), loss: CrossEntropy(), rows: 33),
    GradientCase(name: "relu", model: Sequential(inputs: 6, Dense(8, .relu), Dense(1)), loss: SquaredLoss()),
    GradientCase(name: "relu", model: Sequential(inputs: 6, Dense(8, .relu), Dense(4)), loss: CrossEntropy()),
    GradientCase(
      name: "sigmoid", model: Sequential(inputs: 6, Dense(8, .sigmoid), Dense(1)), loss: SquaredLoss()),
    GradientCase(
      name: "sigmoid", model: Sequential(inputs: 6, Dense(8, .sigmoid), Dense(4)), loss: CrossEntropy()),
    GradientCase(name: "tanh", model: Sequential(inputs: 6, Dense(8, .tanh), Dense(1)), loss: SquaredLoss()),
    GradientCase(
      name: "tanh", model: Sequential(inputs: 6, Dense(8, .tanh), Dense(4)), loss: CrossEntropy(), rows: 1),
    // Widths that grow and shrink, and two dense layers with nothing between them.
    GradientCase(
      name: "deep",
      model: Sequential(inputs: 4, Dense(11, .tanh), Dense(3, .relu), Dense(17, .sigmoid), Dense(5)),
      loss: CrossEntropy(), rows: 20),
    GradientCase(name: "dense dense", model: Sequential(inputs: 4, Dense(6), Dense(1)), loss: SquaredLoss()),
    GradientCase(
      name: "wide", model: Sequential(inputs: 40, Dense(70, .relu), Dense(30, .tanh), Dense(10)),
      loss: CrossEntropy(), rows: 16),
    GradientCase(
      name: "huber", model: Sequential(inputs: 6, Dense(8, .tanh), Dense(1)), loss: HuberLoss(delta: 0.6)),
    GradientCase(
      name: "binary cross-entropy", model: Sequential(inputs: 6, Dense(8, .tanh), Dense(1)),
      loss: BinaryCrossEntropy()),
    GradientCase("dense:8 gelu dense", CrossEntropy()),
    GradientCase("tanh dense:5 sigmoid dense:1 tanh", SquaredLoss()),
    GradientCase("dense:8 residual(dense:5 tanh dense:8) dense", CrossEntropy()),
    GradientCase("residual(dense:6 residual(gelu) tanh) dense:4 tanh tanh dense", HuberLoss(delta: 1)),
    GradientCase("conv:3,3 dense", Shape(1, 5, 4)),
    GradientCase(
      "conv:3,5,padding=2 sigmoid avgpool:2 conv:8,2 tanh avgpool:2 flatten dense", Shape(2, 8, 9)),
    GradientCase(
      "conv:7,3,stride=2,padding=1,unbiased tanh conv:5,2,stride=3,padding=1 dense", Shape(3, 9, 6)),
    GradientCase(
      "tanh conv:3,1,stride=2 maxpool:2,stride=1 tanh avgpool:2 flatten", Shape(1, 5, 5), rows: 33),
    GradientCase("depthwise:3,padding=2 sigmoid conv:13,1 globalavgpool dense", Shape(5, 4, 3), rows: 17),
    GradientCase("conv1d:5,3,stride=2,padding=1 tanh avgpool:3,stride=2 conv1d:2,2 dense", Shape(2, 17)),
    GradientCase("conv1d:4,3 gelu maxpool:2 dense", Shape(11)),
    GradientCase(
      "conv:3,3,padding=1 residual(conv:5,3,stride=2,padding=1 tanh conv:5,1) residual(gelu conv:5,1) dense",
      Shape(2, 6, 5)),
  ]

  init(name: String, model: Sequential, loss: any Loss, rows: Int = 9) {
    self.name = name
    self.model = model
    self.loss = loss
    self.rows = rows
  }

  /// A text of layers on pictures or sequences, with three classes.
  private init(_ layers: String, _ shape: Shape, rows: Int = 9) {
    guard let specification = try? ModelSpecification(layers),
      let model = try? specification.layers.last is Dense
        ? specification.model(input: shape, outputs: 3) : Sequential(specification.layers, input: shape)
    else { preconditionFailure("no model: \(layers)") }
    self.init(name: layers, model: model, loss: CrossEntropy(), rows: rows)
  }

  /// A text of layers on six inputs, with three classes or one number.
  private init(_ layers: String, _ loss: any Loss) {
    let outputs = loss.targets == .classes ? 3 : 1
    guard let model = try? ModelSpecification(layers).model(input: Shape(6), outputs: outputs) else {
      preconditionFailure("no model: \(layers)")
    }
    self.init(name: layers, model: model, loss: loss)
  }
}

@Suite struct GradientTests {
  /// The reference itself: its chain rule against differences of its loss.
  @Test(arguments: GradientCase.all.filter(\.hasChainRule)) func referenceAgreesWithDifferences(
    _ test: GradientCase
  ) {
    let network = DoubleNetwork(test.model, randomParameters(of: test.model).map(Double.init))
    let examples = test.sample.reference
    let gradient = network.gradient(test.loss, examples)
    let differences = network.differences(test.loss, examples)
    let largest = differences.map(abs).max()!
    #expect(largest > 1e-3)
    for (a, b) in zip(gradient, differences) { #expect(abs(a - b) < 1e-7 * largest) }
  }

  /// Every tensor's gradient against central differences of a loss computed in double precision. Single
  /// precision has 6e-8 a rounding; the largest difference seen is some 5e-7.
  @Test(arguments: GradientCase.all, Arithmetic.all)
  func agreesWithDifferences(_ test: GradientCase, _ arithmetic: Arithmetic) {
    _ = singleThreadedBLAS
    let parameters = randomParameters(of: test.model)
    let sample = test.sample
    let expected = DoubleNetwork(test.model, parameters.map(Double.init))
      .differences(test.loss, sample.reference)
    // Rows beyond those in use, and NaN where the gradient goes: neither may show.
    let network = Network(test.model, maximumRows: test.rows + 3, arithmetic: arithmetic)
    var gradient = [Float](repeating: .nan, count: test.model.parameterCount)
    let loss = network.addGradient(
      test.loss.computed(by: arithmetic), parameters, sample.examples, into: &gradient, accumulate: false)
    for tensor in test.model.tensors {
      let difference = relativeDifference(gradient[tensor.range], expected[tensor.range])
      #expect(difference < 3e-6, "\(tensor.name): \(difference)")
    }
    let exact = DoubleNetwork(test.model, parameters.map(Double.init)).meanLoss(test.loss, sample.reference)
    #expect(abs(loss / Double(test.rows) - exact) < 1e-6 * exact)
  }

  /// `accumulate` adds to what is there, and nothing else changes.
  @Test(arguments: GradientCase.all, Arithmetic.all)
  func accumulates(_ test: GradientCase, _ arithmetic: Arithmetic) {
    _ = singleThreadedBLAS
    let parameters = randomParameters(of: test.model)
    let sample = test.sample
    let start = randomParameters(of: test.model, seed: 8)
    let exact = DoubleNetwork(test.model, parameters.map(Double.init)).differences(
      test.loss, sample.reference)
    let network = Network(test.model, maximumRows: test.rows, arithmetic: arithmetic)
    var gradient = start
    _ = network.addGradient(
      test.loss.computed(by: arithmetic), parameters, sample.examples, into: &gradient, accumulate: true)
    for tensor in test.model.tensors {
      let expected = tensor.range.map { Double(start[$0]) + exact[$0] }
      let difference = relativeDifference(gradient[tensor.range], expected)
      #expect(difference < 3e-6, "\(tensor.name): \(difference)")
    }
  }

  /// The gradient is that of `scale` times the sum over the rows, and pieces of a batch add up to the whole.
  @Test func piecesAddUp() {
    _ = singleThreadedBLAS
    let model = Sequential(inputs: 6, Dense(8, .tanh), Dense(4))
    let sample = Sample.random(count: 10, features: 6, classes: 4)
    let parameters = randomParameters(of: model)
    let network = Network(model, maximumRows: 10)
    var sum = [Float](repeating: .nan, count: model.parameterCount)
    for (number, rows) in [0..<3, 3..<4, 4..<10].enumerated() {
      _ = network.addGradient(
        CrossEntropy(), parameters, sample.examples, rows: rows, scale: 0.1, into: &sum,
        accumulate: number > 0
      )
    }
    let exact = DoubleNetwork(model, parameters.map(Double.init)).gradient(CrossEntropy(), sample.reference)
    #expect(relativeDifference(sum, exact) < 3e-6)
  }
}

extension Network {
  /// Forward, loss and backward over some rows of `examples` (all, with the mean as the loss, by default).
  /// - Returns: the sum of the loss over the rows.
  func addGradient(
    _ loss: any Loss, _ parameters: [Float], _ examples: Examples, rows: Range<Int>? = nil,
    scale: Float? = nil,
    into gradient: inout [Float], accumulate: Bool
  ) -> Double {
    let rows = rows ?? 0..<examples.count
    guard case .float32(let features) = examples.features else { return .nan }
    let x = Array(features[rows.lowerBound * examples.featureCount..<rows.upperBound * examples.featureCount])
    let output = forward(parameters: parameters, input: x, rows: rows.count)
    let scale = scale ?? 1 / Float(rows.count)
    let columns = model.outputCount
    let sum =
      switch examples.targets {
      case .values(let y):
        y[rows].withUnsafeBufferPointer {
          loss.gradient(
            output, .values($0.baseAddress!), rows: rows.count, columns: columns,
            scale: scale)
        }
      case .labels(let labels, _):
        labels[rows].withUnsafeBufferPointer {
          loss.gradient(
            output, .labels($0.baseAddress!), rows: rows.count, columns: columns,
            scale: scale)
        }
      }
    backward(parameters: parameters, input: x, rows: rows.count, into: &gradient, accumulate: accumulate)
    return sum
  }
}
