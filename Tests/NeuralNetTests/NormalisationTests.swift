// Batch and layer normalisation: their gradients against differences in double precision, what they measure, their words.
import DataFormats
import NeuralNet
import TestSupport
import Testing

/// A model, and the pieces of a batch of 12 examples.
struct NormalisationCase: Sendable, CustomTestStringConvertible {
  let layers: String
  let shape: Shape
  let pieces: [Int]

  var testDescription: String { "\(layers), \(shape), \(pieces)" }

  init(_ layers: String, _ shape: Shape = Shape(6), _ pieces: [Int] = [4, 3, 3, 2]) {
    self.layers = layers
    self.shape = shape
    self.pieces = pieces
  }

  static let all = [
    NormalisationCase("layernorm dense"), NormalisationCase("dense:8 layernorm tanh dense"),
    NormalisationCase("layernorm dense", Shape(2, 3, 4)), NormalisationCase("dense:40 layernorm dense"),
    NormalisationCase("batchnorm dense"), NormalisationCase("dense:9 batchnorm tanh dense"),
    NormalisationCase("dense:9 batchnorm tanh dense", Shape(6), [12]),
    NormalisationCase("dense:9 batchnorm:global tanh dense"),
    NormalisationCase("batchnorm:global,epsilon=0.1 dense", Shape(2, 3, 4)),
    NormalisationCase("batchnorm tanh dense", Shape(3, 4, 5)),
    // A piece of one row: one number a channel in the first, several in the second.
    NormalisationCase("dense:5 batchnorm sigmoid dense", Shape(6), [4, 4, 3, 1]),
    NormalisationCase("batchnorm tanh dense", Shape(2, 2, 2), [4, 4, 3, 1]),
    NormalisationCase("dense:5 batchnorm:global sigmoid dense", Shape(6), [4, 4, 3, 1]),
    NormalisationCase(
      "dense:6 residual(batchnorm tanh dense:6 batchnorm:global) gelu layernorm batchnorm dense"),
  ]
}

@Suite struct NormalisationTests {
  init() { BLAS.setThreads(1) }

  /// The loss of a batch in training, and the gradient's arena, in which NaN and rows beyond those in use may not show.
  private func trained(
    _ model: Sequential, _ parameters: [Float], _ sample: Sample, pieces sizes: [Int],
    rows: Range<Int>? = nil,
    batchRows: Int? = nil, _ arithmetic: Arithmetic
  ) -> [Float] {
    let bounds = bounds(ofPieces: sizes)
    let network = Network(model, maximumRows: bounds.last! + 2, passes: [bounds], arithmetic: arithmetic)
    let loss = CrossEntropy().computed(by: arithmetic)
    var gradient = [Float](repeating: .nan, count: model.parameterCount)
    let rows = rows ?? 0..<bounds.last!
    let x = Array(sample.features[rows.lowerBound * model.inputCount..<rows.upperBound * model.inputCount])
    guard case .labels(let labels, _) = sample.examples.targets else { return gradient }
    let y = Array(labels[rows])
    bounds.withUnsafeBufferPointer { bounds in
      let pass = Pass(
        pieces: bounds, mode: .training(epoch: 0, position: rows.lowerBound), parameters: parameters,
        batchRows: batchRows)
      let output = network.forward(x, pass)
      y.withUnsafeBufferPointer {
        _ = loss.gradient(
          output, .labels($0.baseAddress!), rows: y.count, columns: model.outputCount,
          scale: 1 / Float(batchRows ?? y.count))
      }
      network.backward(x, pass, into: &gradient)
    }
    return gradient
  }

  @Test(arguments: NormalisationCase.all, Arithmetic.all)
  func agreesWithDifferences(_ test: NormalisationCase, _ arithmetic: Arithmetic) throws {
    let model = try ModelSpecification(test.layers).model(input: test.shape, outputs: 3)
    let parameters = variedParameters(of: model)
    let sample = Sample.random(count: 12, features: test.shape.count, classes: 3)
    let gradient = trained(model, parameters, sample, pieces: test.pieces, arithmetic)
    let exact = DoubleBatch(model, parameters.map(Double.init), shards: test.pieces)
    let expected = try exact.differences(CrossEntropy(), sample.reference)
    let measured = try exact.statistics(sample.reference)
    let largest = expected.map(abs).max()!
    for tensor in model.tensors where tensor.role.isTrained {
      for i in tensor.range {
        #expect(abs(Double(gradient[i]) - expected[i]) < 3e-6 * largest, "\(tensor.name): \(i)")
      }
    }
    // Means and variances of the batch, in the place of gradients.
    for (offset, values) in measured {
      let found = gradient[offset..<offset + values.count]
      #expect(relativeDifference(found, values) < 1e-6, "statistics at \(offset)")
    }
    #expect(
      measured.values.reduce(0) { $0 + $1.count }
        == model.tensors.filter { !$0.role.isTrained }.reduce(0) { $0 + $1.count })
  }

  /// Averages over a piece do not know of other pieces: the bits are those of the pieces alone, added as a tree.
  @Test(arguments: NormalisationCase.all.filter { !$0.layers.contains("global") }, Arithmetic.all)
  func bitsAreThoseOfThePiecesAlone(_ test: NormalisationCase, _ arithmetic: Arithmetic) throws {
    let model = try ModelSpecification(test.layers).model(input: test.shape, outputs: 3)
    let parameters = variedParameters(of: model)
    let sample = Sample.random(count: 12, features: test.shape.count, classes: 3)
    let together = trained(model, parameters, sample, pieces: test.pieces, arithmetic)
    let starts = bounds(ofPieces: test.pieces)
    var terms = test.pieces.indices.map { piece in
      trained(
        model, parameters, sample, pieces: [test.pieces[piece]], rows: starts[piece]..<starts[piece + 1],
        batchRows: 12, arithmetic)
    }
    while terms.count > 1 {
      terms = stride(from: 0, to: terms.count, by: 2).map { i in
        i + 1 < terms.count ? zip(terms[i], terms[i + 1]).map { $0 + $1 } : terms[i]
      }
    }
    #expect(together.map(\.bitPattern) == terms[0].map(\.bitPattern))
  }

  /// A shard's averages are others than the batch's: the tests above can fail.
  @Test func theSpanShows() throws {
    let sample = Sample.random(count: 12, features: 6, classes: 3)
    let losses = try ["batchnorm", "batchnorm:global"].map { word in
      let model = try ModelSpecification("dense:9 \(word) tanh dense").model(input: Shape(6), outputs: 3)
      let exact = DoubleBatch(model, variedParameters(of: model).map(Double.init), shards: [4, 4, 4])
      return try exact.meanLoss(CrossEntropy(), sample.reference)
    }
    #expect(abs(losses[0] - losses[1]) > 1e-3)
  }

  @Test(arguments: NormalisationCase.all, Arithmetic.all)
  func inference(_ test: NormalisationCase, _ arithmetic: Arithmetic) throws {
    let model = try ModelSpecification(test.layers).model(input: test.shape, outputs: 3)
    let parameters = variedParameters(of: model)
    let sample = Sample.random(count: 5, features: test.shape.count, classes: 3)
    let network = Network(model, maximumRows: 7, arithmetic: arithmetic)
    let output = network.forward(parameters: parameters, input: sample.features, rows: 5)
    let exact = DoubleNetwork(model, parameters.map(Double.init))
    let expected = sample.reference.flatMap { exact.forward($0.inputs).last! }
    #expect(relativeDifference((0..<15).map { output[$0] }, expected) < 3e-6)
  }

  // MARK: Words

  @Test(arguments: [
    ("batchnorm", "batchnorm"), ("batchnorm:momentum=0.1,epsilon=1e-5", "batchnorm"),
    ("batchnorm:epsilon=1e-3,global", "batchnorm:global,epsilon=0.001"),
    ("batchnorm:shard,momentum=1", "batchnorm:shard,momentum=1.0"), ("layernorm", "layernorm"),
    ("layernorm:epsilon=0.5", "layernorm:epsilon=0.5"),
  ]) func words(_ text: String, _ description: String) throws {
    let layer = try Catalog.layer(Word(parsing: text))
    #expect(layer.description == description)
    #expect(try Catalog.layer(Word(parsing: description)).description == description)
  }

  @Test(arguments: [
    ("batchnorm:global,shard", "leave one of them out"), ("batchnorm:momentum=1.5", "from 0 to 1"),
    ("batchnorm:epsilon=0", "above 0"), ("batchnorm:3", "'3'"), ("layernorm:global", "'global'"),
    ("layernorm:epsilon=-1", "above 0"), ("batchnorm:globl", "'globl'"),
  ]) func whatIsNoWord(_ text: String, _ reason: String) {
    #expect {
      _ = try Catalog.layer(Word(parsing: text))
    } throws: { "\($0)".contains(reason) }
  }

  @Test func tensorsAreNamedAsInPyTorch() throws {
    let model = try ModelSpecification("batchnorm layernorm residual(batchnorm) dense")
      .model(input: Shape(3, 2, 2), outputs: 1)
    #expect(
      model.tensors.map(\.name) == [
        "0.weight", "0.bias", "0.running_mean", "0.running_var", "1.weight", "1.bias", "2.0.weight",
        "2.0.bias",
        "2.0.running_mean", "2.0.running_var", "3.weight", "3.bias",
      ])
    #expect(model.tensors.prefix(6).map(\.shape) == [[3], [3], [3], [3], [3, 2, 2], [3, 2, 2]])
    #expect(randomParameters(of: model)[..<12] == [1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1])
  }

  /// Only those that do not say it themselves, in blocks too.
  @Test func theSpanIsFilledIn() throws {
    let model = try ModelSpecification(
      "batchnorm relu residual(dense:6 batchnorm:momentum=0.2 residual(batchnorm:shard)) dense")
    #expect(model.batchNorms == [nil, nil, .shard])
    let filled = try model.normalising(over: .global)
    #expect(
      filled.layers.map(\.description) == [
        "batchnorm:global", "relu",
        "residual(dense:6 batchnorm:global,momentum=0.2 residual(batchnorm:shard))", "dense",
      ])
    #expect(filled.batchNorms == [.global, .global, .shard] && filled.description == model.description)
    #expect(try filled.normalising(over: .shard).batchNorms == filled.batchNorms)
  }
}
