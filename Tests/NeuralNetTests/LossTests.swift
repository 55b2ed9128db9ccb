// The losses by numbers that can be checked by hand, and with outputs that overflow when computed carelessly.
import Foundation
import NeuralNet
import Testing

/// `Loss.evaluate` over rows of outputs.
private func evaluate(_ outputs: [[Float]], labels: [Int32]) -> (loss: Double, correct: Int) {
  var z = outputs.flatMap { $0 }
  var sums = [Double.nan, .nan]
  CrossEntropy().evaluate(
    &z, .labels(labels), rows: outputs.count, columns: outputs[0].count, into: &sums)
  return (sums[0], Int(sums[1]))
}

extension TargetBuffer {
  /// Targets that live as long as the process: tests are short.
  fileprivate static func labels(_ labels: [Int32]) -> TargetBuffer {
    let copy = UnsafeMutableBufferPointer<Int32>.allocate(capacity: labels.count)
    _ = copy.initialize(from: labels)
    return .labels(UnsafePointer(copy.baseAddress!))
  }

  fileprivate static func values(_ values: [Float]) -> TargetBuffer {
    let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
    _ = copy.initialize(from: values)
    return .values(UnsafePointer(copy.baseAddress!))
  }
}

private func softmax(_ z: [Float]) -> [Float] {
  z.withUnsafeBufferPointer(CrossEntropy().probabilities)
}

@Suite struct LossTests {
  @Test func squared() {
    var output: [Float] = [1, 2, -3]
    var sum = Double.nan
    SquaredLoss().evaluate(&output, .values([0, 2, 1]), rows: 3, columns: 1, into: &sum)
    #expect(sum == 0.5 + 0 + 8)
    #expect(SquaredLoss().measures.isEmpty)
    var gradient: [Float] = [1, 2, -3]
    sum = SquaredLoss().gradient(
      &gradient, .values([0, 2, 1]), rows: 3, columns: 1, scale: 0.25)
    #expect(sum == 8.5, "the sum itself is not scaled")
    #expect(gradient == [0.25, 0, -1])
  }

  @Test func crossEntropyOfEqualOutputs() {
    let result = evaluate([[3, 3, 3, 3], [-7, -7, -7, -7]], labels: [2, 0])
    #expect(abs(result.loss - 2 * log(4)) < 1e-6)
    #expect(result.correct == 1, "of equal outputs the first counts as the largest")
  }

  @Test func crossEntropyGradient() {
    var z: [Float] = [0, Float(log(3.0)), 1, 1]
    let sum = CrossEntropy().gradient(
      &z, .labels([1, 0]), rows: 2, columns: 2, scale: 0.5)
    #expect(abs(sum - (log(4.0 / 3) + log(2))) < 1e-6)
    for (actual, expected) in zip(z, [0.125, -0.125, -0.25, 0.25] as [Float]) {
      #expect(abs(actual - expected) < 1e-7)
    }
  }

  @Test func correctAnswersAreCounted() {
    let outputs: [[Float]] = [[1, 2, 3], [3, 2, 1], [1, 3, 2], [-1, -2, -3]]
    #expect(evaluate(outputs, labels: [2, 0, 1, 0]).correct == 4)
    #expect(evaluate(outputs, labels: [2, 1, 1, 2]).correct == 2)
    #expect(evaluate(outputs, labels: [0, 1, 2, 1]).correct == 0)
  }

  /// In single precision exp(110) is infinite and exp(−110) is 0.
  @Test(arguments: [110, 1000, 1e10, 3e38] as [Float]) func largeOutputs(_ size: Float) {
    #expect(evaluate([[size, 0]], labels: [0]).loss == 0)
    #expect(evaluate([[size, 0]], labels: [1]).loss == Double(size), "far off, but finite")
    #expect(abs(evaluate([[size, size]], labels: [1]).loss - log(2)) < 1e-6)
    #expect(abs(evaluate([[-size, -size]], labels: [1]).loss - log(2)) < 1e-6)
    #expect(softmax([size, 0, size]) == [0.5, 0, 0.5])
    #expect(softmax([-size, 0]) == [0, 1])
    var z: [Float] = [size, 0]
    let loss = CrossEntropy().gradient(&z, .labels([1]), rows: 1, columns: 2, scale: 1)
    #expect(loss == Double(size))
    #expect(z == [1, -1])
  }

  /// A diverged model must be seen by its loss.
  @Test(arguments: [[.nan, 0], [0, .nan], [.infinity, 0], [0, .infinity]] as [[Float]])
  func whatIsNotFiniteStaysSo(_ z: [Float]) {
    for label: Int32 in [0, 1] { #expect(!evaluate([z], labels: [label]).loss.isFinite) }
    var output = z
    var sum = 0.0
    SquaredLoss().evaluate(&output, .values([0, 0]), rows: 2, columns: 1, into: &sum)
    #expect(!sum.isFinite)
  }

  @Test func softmaxIsADistribution() {
    let p = softmax([1, 2, 3])
    let total = exp(1.0) + exp(2) + exp(3)
    for (j, value) in p.enumerated() { #expect(abs(Double(value) - exp(Double(j + 1)) / total) < 1e-7) }
    #expect(abs(p.reduce(0, +) - 1) < 1e-6)
    #expect(softmax([5]) == [1])
  }

  @Test func largestIndex() {
    #expect(evaluate([[2, 7, 7, 1]], labels: [1]).correct == 1)
    #expect(evaluate([[-3]], labels: [0]).correct == 1)
    #expect(evaluate([[-3, -2, -9]], labels: [2]).correct == 0)
  }

  /// Huber's loss is the squared one within δ, and grows as δ·|d| beyond.
  @Test func huber() {
    var output: [Float] = [0.25, 3, -3, 0.5]
    let sum = HuberLoss(delta: 0.5).gradient(
      &output, .values([0, 0, 0, 0]), rows: 4, columns: 1, scale: 2)
    #expect(sum == 0.03125 + 2 * 0.5 * (3 - 0.25) + 0.125)
    #expect(output == [0.5, 1, -1, 1])
    for z in [Float.nan, .infinity, -.infinity] {
      var output = [z]
      #expect(!HuberLoss().gradient(&output, .values([0]), rows: 1, columns: 1, scale: 1).isFinite)
    }
  }

  @Test(arguments: [0, 1, 110, 1e10, 3e38] as [Float]) func binaryCrossEntropy(_ size: Float) {
    let loss = BinaryCrossEntropy()
    var output: [Float] = [size, size, -size, -size]
    let sum = loss.gradient(&output, .labels([1, 0, 0, 1]), rows: 4, columns: 1, scale: 1)
    let certain = log1p(exp(-Double(size)))
    #expect(abs(sum - (4 * certain + 2 * Double(size))) <= 1e-7 * (sum + 1))
    let p = 1 / (1 + exp(-Double(size)))
    for (g, expected) in zip(output, [p - 1, p, 1 - p, -p]) { #expect(abs(Double(g) - expected) < 1e-7) }
    var z = [size, -size]
    var sums = [0.0, 0]
    loss.evaluate(&z, .labels([1, 0]), rows: 2, columns: 1, into: &sums)
    #expect(sums[1] == (size > 0 ? 2 : 1), "an output of 0 is class 0")
    #expect([size].withUnsafeBufferPointer(loss.probabilities).reduce(0, +) == 1)
    var nan = [Float.nan]
    #expect(loss.gradient(&nan, .labels([0]), rows: 1, columns: 1, scale: 1).isNaN)
  }

  /// Activations pass on what is not finite: relu above all, where max(0, NaN) would hide it.
  @Test(arguments: Activation.allCases) func activationsKeepNaN(_ activation: Activation) {
    let model = Sequential(inputs: 1, Dense(1, activation), Dense(1))
    let network = Network(model, maximumRows: 1)
    let output = network.forward(parameters: [1, 0, 1, 0], input: [.nan], rows: 1)
    #expect(output[0].isNaN)
  }
}
