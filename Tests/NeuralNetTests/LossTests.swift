// The losses by numbers that can be checked by hand, and with outputs that overflow when computed carelessly.
import Foundation
import NeuralNet
import Testing

/// `Loss.evaluate` over rows of outputs.
private func evaluate(_ outputs: [[Float]], labels: [Int32]) -> (loss: Double, correct: Int) {
  var z = outputs.flatMap { $0 }
  return Loss.crossEntropy.evaluate(
    output: &z, targets: .labels(labels), rows: outputs.count, columns: outputs[0].count)
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
  var z = z
  Loss.softmax(&z, z.count)
  return z
}

@Suite struct LossTests {
  @Test func squared() {
    var output: [Float] = [1, 2, -3]
    let result = Loss.squared.evaluate(output: &output, targets: .values([0, 2, 1]), rows: 3, columns: 1)
    #expect(result.loss == 0.5 + 0 + 8)
    #expect(result.correct == 0)
    var gradient: [Float] = [1, 2, -3]
    let sum = Loss.squared.gradient(
      output: &gradient, targets: .values([0, 2, 1]), rows: 3, columns: 1, scale: 0.25)
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
    let sum = Loss.crossEntropy.gradient(
      output: &z, targets: .labels([1, 0]), rows: 2, columns: 2, scale: 0.5)
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
    let loss = Loss.crossEntropy.gradient(output: &z, targets: .labels([1]), rows: 1, columns: 2, scale: 1)
    #expect(loss == Double(size))
    #expect(z == [1, -1])
  }

  /// A diverged model must be seen by its loss.
  @Test(arguments: [[.nan, 0], [0, .nan], [.infinity, 0], [0, .infinity]] as [[Float]])
  func whatIsNotFiniteStaysSo(_ z: [Float]) {
    for label: Int32 in [0, 1] { #expect(!evaluate([z], labels: [label]).loss.isFinite) }
    var output = z
    let squared = Loss.squared.evaluate(output: &output, targets: .values([0, 0]), rows: 2, columns: 1)
    #expect(!squared.loss.isFinite)
  }

  @Test func softmaxIsADistribution() {
    let p = softmax([1, 2, 3])
    let total = exp(1.0) + exp(2) + exp(3)
    for (j, value) in p.enumerated() { #expect(abs(Double(value) - exp(Double(j + 1)) / total) < 1e-7) }
    #expect(abs(p.reduce(0, +) - 1) < 1e-6)
    #expect(softmax([5]) == [1])
  }

  @Test func largestIndex() {
    #expect(Loss.largestIndex([2, 7, 7, 1], 4) == 1)
    #expect(Loss.largestIndex([-3], 1) == 0)
    #expect(Loss.largestIndex([-3, -2, -9], 3) == 1)
  }

  /// Activations pass on what is not finite: relu above all, where max(0, NaN) would hide it.
  @Test(arguments: Activation.allCases) func activationsKeepNaN(_ activation: Activation) {
    let model = Sequential(inputs: 1, Dense(1, activation), Dense(1))
    let network = Network(model, maximumRows: 1)
    let output = network.forward(parameters: [1, 0, 1, 0], input: [.nan], rows: 1)
    #expect(output[0].isNaN)
  }
}
