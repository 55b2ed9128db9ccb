// Dropout: which numbers fall, that they fall by seed, epoch, position and layer alone, and its gradient.
import NeuralNet
import RandomNumbers
import Testing

/// A dropout on rows of `width` ones.
private func drop(
  _ rate: Double, width: Int = 50, rows: Int = 40, epoch: Int = 0, position: Int = 0, seed: UInt64 = 0,
  isTraining: Bool = true
) throws -> [Float] {
  let model = try Sequential([Dropout(rate)], input: Shape(width))
  let network = Network(model, maximumRows: rows, seed: seed)
  let output = network.forward(
    parameters: [0], input: [Float](repeating: 1, count: rows * width), rows: rows,
    mode: isTraining ? .training(epoch: epoch, position: position) : .inference)
  return (0..<rows * width).map { output[$0] }
}

@Suite struct DropoutTests {
  @Test(arguments: [0, 0.1, 0.5, 0.9]) func theRateIsKept(_ rate: Double) throws {
    let values = try drop(rate, width: 1_001, rows: 100)
    #expect(Set(values).isSubset(of: [0, Float(1 / (1 - rate))]))
    let dropped = Double(values.count { $0 == 0 }) / 100_100
    #expect(abs(dropped - rate) < 4 * (rate * (1 - rate) / 100_100).squareRoot() + 1e-12)
    #expect(try drop(rate, isTraining: false).allSatisfy { $0 == 1 })
  }

  /// A row's mask is that of its position, wherever the pass begins.
  @Test func aMaskBelongsToItsPosition() throws {
    let all = try drop(0.5, rows: 40, position: 100)
    #expect(try drop(0.5, rows: 7, position: 113) == Array(all[13 * 50..<20 * 50]))
    #expect(try drop(0.5, rows: 40, position: 100) == all)
    for other in [
      try drop(0.5, position: 140), try drop(0.5, epoch: 1, position: 100),
      try drop(0.5, position: 100, seed: 1),
    ] {
      // Half of them agree by chance.
      let same = zip(all, other).count { $0 == $1 }
      #expect((800...1_200).contains(same))
    }
  }

  /// The mask of each word is that of Philox, four numbers a block.
  @Test func wordsOfPhilox() throws {
    let random = Philox(seed: 3, purpose: .dropout, epoch: 2, stream: 1)
    let values = try drop(0.25, width: 10, rows: 5, epoch: 2, position: 6, seed: 3)
    for row in 0..<5 {
      for column in 0..<10 {
        let word = random.words(UInt64((6 + row) * 3 + column / 4))[column % 4]
        #expect((values[row * 10 + column] == 0) == (word < 1 << 30))
      }
    }
  }

  /// The gradient passes where the number passed: with the weights fixed, ∂/∂x is the mask itself.
  @Test func theGradientHasTheMaskOfItsPass() throws {
    let model = try ModelSpecification("dense:30 dropout:0.5 dense").model(input: Shape(1), outputs: 1)
    let network = Network(model, maximumRows: 1)
    let parameters = (0..<model.parameterCount).map { Float($0 % 7) + 1 }
    let mode = Pass.Mode.training(epoch: 0, position: 5)
    let output = network.forward(parameters: parameters, input: [1], rows: 1, mode: mode)
    output[0] = 1
    var gradient = [Float](repeating: .nan, count: model.parameterCount)
    network.backward(parameters: parameters, input: [1], rows: 1, mode: mode, into: &gradient)
    // The last layer's weight gradient is the dropped value; the first one's the mask times the last weight.
    var dropped = 0
    for unit in 0..<30 {
      let passed = gradient[60 + unit] != 0
      if !passed { dropped += 1 }
      #expect(gradient[unit] == (passed ? 2 * parameters[60 + unit] : 0))
    }
    #expect((5...25).contains(dropped))
  }
}
