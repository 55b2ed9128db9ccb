// The dense layer behind the protocol of all layers: the bits of the path that a chain takes with it.
import NeuralNet
import TestSupport
import Testing

/// A dense layer that a chain does not recognise, and so runs as it runs any other.
private struct Plain: Layer {
  static let names = ["plain"]
  static let form = "plain"

  let dense: Dense

  init(_ outputs: Int) { dense = Dense(outputs) }
  init(_ word: Word) throws(WordError) { dense = try Dense(word) }

  var description: String { "plain" }
  func output(of input: Shape) throws(ShapeError) -> Shape { try dense.output(of: input) }
  func tensors(of input: Shape) -> [TensorRequest] { dense.tensors(of: input) }
  func prepared(_ place: LayerPlace) -> any LayerPass { PlainPass(dense.prepared(place)) }
}

private final class PlainPass: LayerPass {
  private let pass: any LayerPass
  init(_ pass: any LayerPass) { self.pass = pass }

  func forward(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass
  ) { self.pass.forward(x, into: y, pass) }

  func backward(
    _ dy: UnsafeBufferPointer<Float>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>?, _ pass: borrowing Pass, gradient: borrowing GradientSum
  ) { self.pass.backward(dy, x: x, y: y, into: dx, pass, gradient: gradient) }
}

@Suite struct DensePathTests {
  /// Other tests of this process set one thread at some time: another number in between would be other bits.
  init() { BLAS.setThreads(1) }

  /// Widths from the data to the output; one output and few inputs take a path of their own.
  private static let widths = [[5, 1], [1, 1], [9, 1], [30, 10], [70, 64, 33, 4], [6, 1, 8, 1]]

  @Test(
    arguments: [[13], [16, 16], [9, 8, 8], [43, 43, 42], [1, 1, 1, 1, 1, 1, 1]], widths)
  func bitsAreThoseOfTheFastPath(_ sizes: [Int], _ widths: [Int]) throws {
    let activations: [Activation] = [.tanh, .relu, .sigmoid]
    func layers(_ dense: (Int) -> any Layer) -> [any Layer] {
      widths.dropFirst().enumerated().flatMap {
        [dense($1)] + ($0 + 2 < widths.count ? [activations[$0]] : [])
      }
    }
    let input = Shape(widths[0])
    let fast = try Sequential(layers { Dense($0) }, input: input)
    let plain = try Sequential(layers { Plain($0) }, input: input)
    #expect(fast.tensors == plain.tensors)
    for arithmetic in Arithmetic.all {
      let results = try [fast, plain].map { try bits($0, sizes, arithmetic) }
      #expect(results[0].allSatisfy { !$0.isEmpty })
      #expect(results[0] == results[1])
      // The last with an activation behind it, which is not fused.
      let behind = try [fast, plain].map {
        try bits(Sequential($0.layers + [Activation.tanh], input: input), sizes, arithmetic)
      }
      #expect(behind[0] == behind[1])
    }
  }

  /// The output, the gradient of all pieces, and that of the first and the others apart; of one piece, what it makes
  /// of a gradient that it is added to.
  private func bits(_ model: Sequential, _ sizes: [Int], _ arithmetic: Arithmetic) throws -> [[UInt32]] {
    let bounds = bounds(ofPieces: sizes)
    let rows = bounds.last!
    let parameters = uniformNumbers(model.parameterCount, from: 0, seed: 9)
    let input = uniformNumbers(rows * model.inputCount, from: 1_000_000, seed: 9)
    let network = Network(
      model, maximumRows: rows, passes: sizes.count == 1 ? [] : [bounds, Array(bounds.dropFirst())],
      arithmetic: arithmetic)
    let blank = [Float](repeating: .nan, count: model.parameterCount)
    var (whole, first, others) = (blank, blank, blank)
    var result: [[UInt32]] = []
    bounds.withUnsafeBufferPointer { bounds in
      parameters.withUnsafeBufferPointer { parameters in
        input.withUnsafeBufferPointer { input in
          let pass = Pass(pieces: bounds, mode: .inference, parameters: parameters.baseAddress!)
          let output = network.forward(input.baseAddress!, pass)
          result.append((0..<rows * model.outputCount).map { output[$0].bitPattern })
          network.backward(input.baseAddress!, pass, into: &whole)
          _ = network.forward(input.baseAddress!, pass)
          guard sizes.count > 1 else {
            first = whole
            return network.backward(input.baseAddress!, pass, into: &first, accumulate: true)
          }
          first.withUnsafeMutableBufferPointer { first in
            others.withUnsafeMutableBufferPointer { others in
              network.backward(
                input.baseAddress!, pass,
                into: [(1, first.baseAddress!), (sizes.count - 1, others.baseAddress!)])
            }
          }
        }
      }
    }
    result += [whole, first].map { $0.map(\.bitPattern) }
    return sizes.count > 1 ? result + [others.map(\.bitPattern)] : result
  }
}
