// Several pieces of a batch in one pass: the gradient's bits must be those of the pieces alone, added two and two.
import NeuralNet
import TestSupport
import Testing

@Suite struct PieceTests {
  /// Other tests of this process set one thread at some time: another number in between would be other bits.
  init() { BLAS.setThreads(1) }

  @Test(arguments: [
    [16, 16], [16, 16, 16, 16, 16, 16, 16, 16], [43, 43, 42], [1, 1, 1, 1, 1], [33, 32, 32, 32, 32, 32],
    [100, 99],
    Array(repeating: 3, count: 22) + Array(repeating: 2, count: 42),
  ])
  func bitsAreThoseOfThePiecesAlone(_ sizes: [Int]) throws {
    let models = [
      try ModelSpecification(
        "dense:32 residual(dense:24 tanh dense:32) gelu dense:16 sigmoid residual(relu) dense"
      )
      .model(input: Shape(60), outputs: 3),
      try ModelSpecification(
        "conv:4,3,padding=1 relu maxpool:2 residual(conv:7,3,stride=2,padding=1 tanh depthwise:3,padding=1) dense"
      )
      .model(input: Shape(2, 6, 9), outputs: 3),
      // A small dense layer adds up its weight and bias as one array.
      try Sequential([Residual([Dense(1)])], input: Shape(1)),
      try Sequential([Residual([Residual([Dense(1), Dense(5)]), Activation.gelu])], input: Shape(5)),
      Sequential(inputs: 5, Dense(1)), Sequential(inputs: 30, Dense(10)),
      Sequential(inputs: 100, Dense(64, .relu), Dense(32, .tanh), Dense(10)),
    ]
    for model in models {
      for arithmetic in Arithmetic.all { compare(model, sizes: sizes, arithmetic) }
    }
  }

  /// A pass whose parameters are still on their way takes a wide layer's columns as they come.
  @Test(arguments: Arithmetic.all)
  func bitsAreTheSameWhileParametersArrive(_ arithmetic: Arithmetic) {
    let model = Sequential(inputs: 2048, Dense(600, .relu), Dense(20, .tanh), Dense(3))
    let bounds = [0, 5, 9]
    let parameters = uniformNumbers(model.parameterCount, from: 0, seed: 7)
    let input = uniformNumbers(9 * model.inputCount, from: 1_000_000, seed: 7)
    let arrivals = Arrivals()

    func output(_ observer: (any PassObserver)?) -> [UInt32] {
      let network = Network(
        model, maximumRows: 9, passes: [bounds], waitingPasses: observer == nil ? [] : [bounds],
        arithmetic: arithmetic)
      return bounds.withUnsafeBufferPointer { bounds in
        parameters.withUnsafeBufferPointer { parameters in
          let pass = Pass(
            pieces: bounds, mode: .inference, parameters: parameters.baseAddress!, observer: observer)
          let output = network.forward(input, pass)
          return (0..<9 * model.outputCount).map { output[$0].bitPattern }
        }
      }
    }

    #expect(output(arrivals) == output(nil))
    let ends = model.tensors.map { $0.offset + $0.count }
    // The weights of 256 columns are two megabytes; what is left of them goes with the last block.
    let inBlocks = [256 * 2048, ends[0], ends[1], ends[3], ends[5]]
    let whole = [ends[1], ends[3], ends[5]]
    #expect(arrivals.ends == inBlocks || arithmetic == .blas && arrivals.ends == whole)
  }

  private func compare(_ model: Sequential, sizes: [Int], _ arithmetic: Arithmetic) {
    let bounds = bounds(ofPieces: sizes)
    let rows = bounds.last!
    let parameters = uniformNumbers(model.parameterCount, from: 0, seed: 7)
    let input = uniformNumbers(rows * model.inputCount + 16, from: 1_000_000, seed: 7)

    let network = Network(model, maximumRows: rows, passes: [bounds], arithmetic: arithmetic)
    var together = [Float](repeating: .nan, count: model.parameterCount)
    let output = bounds.withUnsafeBufferPointer { bounds in
      parameters.withUnsafeBufferPointer { parameters in
        input.withUnsafeBufferPointer { input in
          let pass = Pass(pieces: bounds, mode: .inference, parameters: parameters.baseAddress!)
          let output = network.forward(input.baseAddress!, pass)
          let bits = (0..<rows * model.outputCount).map { output[$0].bitPattern }
          network.backward(input.baseAddress!, pass, into: &together)
          return bits
        }
      }
    }

    let alone = Network(model, maximumRows: sizes.max()!, arithmetic: arithmetic)
    var terms: [[Float]] = []
    input.withUnsafeBufferPointer { input in
      for piece in sizes.indices {
        let x = input.baseAddress! + bounds[piece] * model.inputCount
        let y = alone.forward(parameters: parameters, input: x, rows: sizes[piece])
        let first = bounds[piece] * model.outputCount
        #expect((0..<sizes[piece] * model.outputCount).allSatisfy { y[$0].bitPattern == output[first + $0] })
        var gradient = [Float](repeating: .nan, count: model.parameterCount)
        alone.backward(parameters: parameters, input: x, rows: sizes[piece], into: &gradient)
        terms.append(gradient)
      }
    }
    while terms.count > 1 {
      terms = stride(from: 0, to: terms.count, by: 2).map { i in
        i + 1 < terms.count ? zip(terms[i], terms[i + 1]).map { $0 + $1 } : terms[i]
      }
    }
    #expect(together.map(\.bitPattern) == terms[0].map(\.bitPattern))
  }
}

/// Parameters that are never all there when a pass asks.
private final class Arrivals: PassObserver {
  /// How far the parameters had to be there, each time that a pass waited.
  private(set) var ends: [Int] = []

  func hasArrived(upTo end: Int) -> Bool { false }
  func willRead(upTo end: Int) { ends.append(end) }
  func didSum(downTo start: Int) {}
  func didRead(downTo start: Int) {}
}
