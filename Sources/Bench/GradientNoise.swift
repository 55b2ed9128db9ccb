// The statistics of a minibatch's gradient, at given parameters.
import DataFormats
import DistributedSGD
import Glibc
import NeuralNet
import RandomNumbers
import System

/// The gradients g_i of the loss of each of N examples, their mean G, and how far the mean over a minibatch of b
/// examples is from it.
///
/// With Σ the covariance of the g_i, E‖g_b − G‖² is tr(Σ)/b for b examples drawn with replacement, and
/// tr(Σ)/b · (N − b)/(N − 1) without.
package final class GradientNoise {
  package let exampleCount: Int
  /// tr(Σ) = 1/N Σ ‖g_i − G‖².
  package let covarianceTrace: Double
  /// ‖G‖².
  package let squaredNorm: Double
  /// G; shape (parameters).
  package let meanGradient: [Float]

  private let loss: any Loss
  private let network: Network
  private let batch: BatchBuffer
  private let parameters: [Float]
  /// Shape (parameters).
  private var gradient: [Float]

  /// - Parameter parameters: shape (model.parameterCount).
  package init(model: Sequential, loss: any Loss, dataset: Dataset, parameters: [Float]) {
    precondition(parameters.count == model.parameterCount)
    self.loss = loss
    self.parameters = parameters
    exampleCount = dataset.count
    let rows = min(model.rowsOfPictures ?? Evaluator.chunkRows, dataset.count)
    network = Network(model, maximumRows: rows)
    batch = BatchBuffer(dataset, capacity: rows)
    gradient = [Float](repeating: 0, count: model.parameterCount)
    Self.compute(
      of: Array(0..<dataset.count), loss, network, batch, parameters, into: &gradient)
    let mean = gradient
    meanGradient = mean
    squaredNorm = mean.reduce(0) { $0 + Double($1) * Double($1) }
    var trace = 0.0
    for example in 0..<dataset.count {
      Self.compute(of: [example], loss, network, batch, parameters, into: &gradient)
      trace += Self.squaredDistance(gradient, mean)
    }
    covarianceTrace = trace / Double(dataset.count)
  }

  /// tr(Σ)/‖G‖²: the batch size at which noise and signal balance (McCandlish et al. 2018, "An empirical model
  /// of large-batch training", section 2.2).
  package var gradientNoiseScale: Double { covarianceTrace / squaredNorm }

  /// The mean gradient over `examples`; shape (parameters).
  package func meanGradient(of examples: [Int]) -> [Float] {
    Self.compute(of: examples, loss, network, batch, parameters, into: &gradient)
    return gradient
  }

  /// ‖g − G‖² for the minibatch of `examples`.
  package func squaredError(of examples: [Int]) -> Double {
    Self.compute(of: examples, loss, network, batch, parameters, into: &gradient)
    return Self.squaredDistance(gradient, meanGradient)
  }

  /// √E‖g_b − G‖² in theory.
  package func expectedDeviation(batch: Int, _ sampling: BatchSampling) -> Double {
    let n = Double(exampleCount)
    let b = Double(batch)
    var variance = covarianceTrace / b
    if sampling == .withoutReplacement { variance *= n > 1 ? max(n - b, 0) / (n - 1) : 0 }
    return variance.squareRoot()
  }

  /// √E‖g_b − G‖² as measured over `samples` minibatches, with its standard error.
  ///
  /// - Parameter series: keeps the draws apart from those of other calls with the same seed.
  package func deviation(
    batch size: Int, _ sampling: BatchSampling, samples: Int, seed: UInt64, series: Int
  ) -> (value: Double, standardError: Double) {
    precondition(size >= 1 && samples >= 1)
    precondition(sampling == .withReplacement || size <= exampleCount)
    var examples = [Int](repeating: 0, count: size)
    var sum = 0.0
    var sumOfSquares = 0.0
    for sample in 0..<samples {
      draw(&examples, sampling, seed: seed, number: series * samples + sample)
      let error = squaredError(of: examples)
      sum += error
      sumOfSquares += error * error
    }
    let mean = sum / Double(samples)
    let variance = max(sumOfSquares / Double(samples) - mean * mean, 0)
    let value = mean.squareRoot()
    // The standard error of the mean square, through the square root.
    let standardError = value > 0 ? (variance / Double(samples)).squareRoot() / (2 * value) : 0
    return (value, standardError)
  }

  /// Draws minibatch `number`. The draws of the two samplings have epochs of their own, even and odd.
  private func draw(_ examples: inout [Int], _ sampling: BatchSampling, seed: UInt64, number: Int) {
    switch sampling {
    case .withReplacement:
      let random = Philox(seed: seed, purpose: .gradientNoise, epoch: 2 * number)
      for i in examples.indices { examples[i] = random.integer(UInt64(i), below: exampleCount) }
    case .withoutReplacement:
      let permutation = Permutation(
        count: exampleCount, seed: seed, epoch: 2 * number + 1, purpose: .gradientNoise)
      examples.withUnsafeMutableBufferPointer {
        permutation.fill($0.baseAddress!, positions: 0..<$0.count)
      }
      // A set has no order; in this one all N examples give the bits of G.
      examples.sort()
    }
  }

  private static func compute(
    of examples: [Int], _ loss: any Loss, _ network: Network, _ batch: BatchBuffer, _ parameters: [Float],
    into gradient: inout [Float]
  ) {
    let scale = 1 / Float(examples.count)
    gradient.withUnsafeMutableBufferPointer { gradient in
      parameters.withUnsafeBufferPointer { parameters in
        for start in stride(from: 0, to: examples.count, by: batch.capacity) {
          let rows = examples[start..<min(start + batch.capacity, examples.count)]
          batch.load(indices: rows)
          let output = network.forward(
            parameters: parameters.baseAddress!, input: batch.features, rows: rows.count)
          _ = loss.gradient(
            output, batch.targets, rows: rows.count, columns: network.model.outputCount,
            scale: scale)
          network.backward(
            parameters: parameters.baseAddress!, input: batch.features, rows: rows.count,
            into: gradient.baseAddress!, accumulate: start > 0)
        }
      }
    }
  }

  /// ‖a − b‖² in double precision, eight sums side by side.
  private static func squaredDistance(_ a: [Float], _ b: [Float]) -> Double {
    precondition(a.count == b.count)
    return a.withUnsafeBytes { a in
      b.withUnsafeBytes { b in
        var sums = SIMD8<Double>()
        let whole = a.count / 32 * 32
        for offset in stride(from: 0, to: whole, by: 32) {
          let difference = SIMD8<Double>(
            a.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
              - b.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self))
          sums += difference * difference
        }
        var sum = sums.sum()
        for offset in stride(from: whole, to: a.count, by: 4) {
          let difference = Double(
            a.load(fromByteOffset: offset, as: Float.self) - b.load(fromByteOffset: offset, as: Float.self))
          sum += difference * difference
        }
        return sum
      }
    }
  }
}

/// How the examples of a minibatch are drawn.
package enum BatchSampling: String, Sendable, CaseIterable {
  case withReplacement = "with replacement"
  case withoutReplacement = "without replacement"
}
