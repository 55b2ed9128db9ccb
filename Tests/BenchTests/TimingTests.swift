import Bench
import NeuralNet
import Testing

@Suite struct TimingTests {
  @Test func quantiles() {
    let timing = Timing([5, 1, 4, 2, 3])
    #expect(timing.least == 1 && timing.median == 3 && timing.greatest == 5)
    #expect(abs(timing.p10 - 1.4) < 1e-12 && abs(timing.p90 - 4.6) < 1e-12)
    #expect(Timing([2, 1]).median == 1.5)
    let one = Timing([7])
    #expect([one.least, one.p10, one.median, one.p90, one.greatest] == [7, 7, 7, 7, 7])
  }

  @Test func operationsOfATrainingStep() {
    // Forwards and weight gradients of both layers, the input gradient of the second alone.
    let model = Sequential(inputs: 784, Dense(256, .relu), Dense(10))
    #expect(model.trainingOperations == 4 * 784 * 256 + 6 * 256 * 10)
    #expect(Sequential(inputs: 5, Dense(1)).trainingOperations == 20)
  }
}
