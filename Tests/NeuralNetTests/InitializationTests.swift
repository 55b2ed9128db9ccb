// First parameters: their ranges and moments, and that the seed alone decides them.
import DataFormats
import NeuralNet
import Testing

private func draw(_ initialization: Initialization, _ model: Sequential, seed: UInt64) -> [Float] {
  var parameters = [Float](repeating: .nan, count: model.parameterCount)
  initialization.fill(&parameters, of: model, seed: seed)
  return parameters
}

private func moments(_ values: some Collection<Float>) -> (mean: Double, variance: Double) {
  let count = Double(values.count)
  let mean = values.reduce(0) { $0 + Double($1) } / count
  return (mean, values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count)
}

@Suite struct InitializationTests {
  /// N(0, 0.01²), biases 0. Of 40,000 draws the mean has a standard error of 5e-5, the variance of 0.7 %.
  @Test func normal() {
    let model = Sequential(inputs: 4_000, Dense(10))
    let parameters = draw(.normal, model, seed: 5)
    let (mean, variance) = moments(parameters[model.tensors[0].range])
    #expect(abs(mean) < 2e-4)
    #expect(abs(variance / 1e-4 - 1) < 0.03)
    #expect(parameters[model.tensors[1].range].allSatisfy { $0 == 0 })
    // Tails: 4.6 % of a normal distribution lie beyond two standard deviations, 0.27 % beyond three.
    let beyond = { (limit: Float) in Double(parameters.count { abs($0) > limit }) / 40_000 }
    #expect(abs(beyond(0.02) - 0.0455) < 0.005)
    #expect(abs(beyond(0.03) - 0.0027) < 0.0012)
  }

  /// Uniform on ±1/√inputs, weights and biases alike, as PyTorch's nn.Linear.
  @Test func uniform() {
    let model = Sequential(inputs: 100, Dense(400, .relu), Dense(25))
    let parameters = draw(.uniform, model, seed: 5)
    for (tensor, inputs) in zip(model.tensors, [100.0, 100, 400, 400]) {
      let bound = 1 / inputs.squareRoot()
      let values = parameters[tensor.range]
      #expect(values.allSatisfy { abs(Double($0)) <= bound })
      #expect(values.contains { Double($0) > 0.8 * bound } && values.contains { Double($0) < -0.8 * bound })
      guard tensor.count > 1_000 else { continue }
      let (mean, variance) = moments(values)
      #expect(abs(mean) < 4 * bound / (3 * Double(tensor.count)).squareRoot())
      #expect(abs(variance / (bound * bound / 3) - 1) < 0.04)
    }
    #expect(Set(parameters).count > parameters.count * 99 / 100, "every parameter is a draw of its own")
  }

  @Test(arguments: [Initialization.normal, .uniform]) func theSeedAloneDecides(
    _ initialization: Initialization
  ) {
    let model = Sequential(inputs: 20, Dense(30, .tanh), Dense(4))
    let first = draw(initialization, model, seed: 7)
    #expect(first == draw(initialization, model, seed: 7))
    let other = draw(initialization, model, seed: 8)
    let equal = model.tensors[0].range.count { first[$0] == other[$0] }
    #expect(equal < 5)
    #expect(first != draw(initialization, model, seed: 7 + 1 << 32), "all 64 bits of the seed count")
  }
}
