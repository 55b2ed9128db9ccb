// What the portable arithmetic promises of a whole network: no bit depends on how a batch is cut, nor on instructions.
import NeuralNet
import TestSupport
import Testing

@Suite struct PortableNetworkTests {
  private static let models = [
    "dense:33 relu dense:20 tanh dense:9 sigmoid dense",
    "dense:16 gelu residual(dense:24 tanh dense:16) dense", "dense",
    "conv:7,3,padding=1 sigmoid maxpool:2,stride=1 conv:13,2,stride=2 tanh depthwise:2,padding=1 relu avgpool:2 dense",
    "conv:3,2 gelu residual(conv:5,3,stride=2,padding=1 relu conv:5,1,unbiased) globalavgpool dense",
  ]

  private static func model(_ text: String) throws -> Sequential {
    try ModelSpecification(text)
      .model(input: text.contains("conv") ? Shape(2, 5, 5) : Shape(50), outputs: 3)
  }

  /// Loss and gradient of a shard whose rows come in so many at a time.
  private func bits(_ model: Sequential, rows: Int, microBatch: Int, _ arithmetic: Arithmetic) -> [UInt32] {
    let parameters = uniformNumbers(model.parameterCount, from: 0, seed: 3)
    let input = uniformNumbers(rows * model.inputCount, from: 1_000_000, seed: 3)
    let labels = (0..<Int32(rows)).map { $0 % 3 }
    let loss = CrossEntropy().computed(by: arithmetic)
    let network = Network(model, maximumRows: microBatch, arithmetic: arithmetic)
    var gradient = [Float](repeating: .nan, count: model.parameterCount)
    var outputs: [UInt32] = []
    for start in stride(from: 0, to: rows, by: microBatch) {
      let count = min(microBatch, rows - start)
      input.withUnsafeBufferPointer { input in
        labels.withUnsafeBufferPointer { labels in
          let x = input.baseAddress! + start * model.inputCount
          let output = network.forward(parameters: parameters, input: x, rows: count)
          outputs += (0..<count * model.outputCount).map { output[$0].bitPattern }
          _ = loss.gradient(
            output, .labels(labels.baseAddress! + start), rows: count, columns: model.outputCount, scale: 0.01
          )
          network.backward(
            parameters: parameters, input: x, rows: count, into: &gradient, accumulate: start > 0)
        }
      }
    }
    return outputs + gradient.map(\.bitPattern)
  }

  @Test(arguments: models) func neitherMicroBatchNorInstructionsShow(_ text: String) throws {
    let model = try Self.model(text)
    let rows = 100
    let expected = bits(
      model, rows: rows, microBatch: rows, .portable(try #require(Instructions(named: "scalar"))))
    for arithmetic in Arithmetic.portables {
      for microBatch in [1, 7, 16, 64, 100] {
        #expect(
          bits(model, rows: rows, microBatch: microBatch, arithmetic) == expected,
          "\(arithmetic), \(microBatch) rows at a time")
      }
    }
  }

  /// Pieces in one pass or in several, whose sums are then added: the same tree.
  @Test(arguments: models) func groupsOfPiecesDoNotShow(_ text: String) throws {
    let model = try Self.model(text)
    let sizes = [13, 12, 12, 12, 12, 12, 12, 12]
    let bounds = bounds(ofPieces: sizes)
    let parameters = uniformNumbers(model.parameterCount, from: 0, seed: 4)
    let input = uniformNumbers(bounds.last! * model.inputCount, from: 1_000_000, seed: 4)
    func gradient(_ groups: [Int], _ arithmetic: Arithmetic) -> [UInt32] {
      let network = Network(model, maximumRows: bounds.last!, passes: [bounds], arithmetic: arithmetic)
      let arenas = UnsafeMutablePointer<Float>.allocate(capacity: groups.count * model.parameterCount)
      defer { arenas.deallocate() }
      return bounds.withUnsafeBufferPointer { bounds in
        parameters.withUnsafeBufferPointer { parameters in
          input.withUnsafeBufferPointer { input in
            let pass = Pass(pieces: bounds, mode: .inference, parameters: parameters.baseAddress!)
            _ = network.forward(input.baseAddress!, pass)
            network.backward(
              input.baseAddress!, pass,
              into: groups.enumerated().map { ($1, arenas + $0 * model.parameterCount) })
            var count = groups.count
            while count > 1 {
              count /= 2
              for group in 0..<count {
                for i in 0..<model.parameterCount {
                  arenas[group * model.parameterCount + i] =
                    arenas[2 * group * model.parameterCount + i]
                    + arenas[(2 * group + 1) * model.parameterCount + i]
                }
              }
            }
            return (0..<model.parameterCount).map { arenas[$0].bitPattern }
          }
        }
      }
    }
    for arithmetic in Arithmetic.portables {
      let whole = gradient([8], arithmetic)
      #expect(gradient([4, 4], arithmetic) == whole)
      #expect(gradient([2, 2, 2, 2], arithmetic) == whole)
      #expect(gradient([1, 1, 1, 1, 1, 1, 1, 1], arithmetic) == whole)
    }
  }
}
