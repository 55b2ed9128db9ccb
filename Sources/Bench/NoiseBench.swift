// `bench noise`: the standard deviation of the minibatch gradient against the batch size.
import DataFormats
import Glibc
import MPI
import NeuralNet
import Runs
import System
import Text

package struct NoiseOptions: Sendable {
  /// Data, model, loss, first parameters, seed and threads are used.
  package var training = TrainingOptions()
  /// nil is 1, 2, 4 … and all examples, as far as that takes some seconds.
  package var batches: [Int]?
  /// Minibatches of each size; nil is 2000, or 200 for a model of many operations.
  package var samples: Int?

  package init() {}
}

/// One batch size.
package struct NoiseMeasurement: Sendable {
  package let batch: Int
  package let sampling: BatchSampling
  /// √E‖g_b − G‖² as measured, its standard error, and by the formula.
  package let deviation, standardError, expected: Double
}

package struct NoiseBench {
  private let options: NoiseOptions

  package init(_ options: NoiseOptions) { self.options = options }

  /// - Throws: `DistsgdError` or `AgreedError`.
  package func run() throws -> NoiseReport {
    try NumberRange.noiseSamples.check(options.samples)
    try NumberRange.noiseBatches.check(options.batches ?? [])
    var training = options.training
    try training.validate(worldSize: 1)
    training.globalBatch = 1
    if let model = training.model, !model.batchNorms.isEmpty {
      throw DistsgdError(
        .usage,
        "--model '\(model)': with a batchnorm the gradient of an example depends on the others of its batch, and is not noise of its own; leave it out, or use layernorm"
      )
    }
    BLAS.setThreads(training.threads)
    let communicator = SingleProcessCommunicator()
    let setUp = try SetUp(training, communicator: communicator)
    defer { withExtendedLifetime(communicator) {} }
    var parameters = [Float](repeating: 0, count: setUp.model.parameterCount)
    try parameters.withUnsafeMutableBufferPointer {
      try setUp.initialize($0, communicator: communicator)
    }
    let noise = GradientNoise(
      model: setUp.model, loss: setUp.loss, dataset: setUp.training, parameters: parameters)
    guard noise.covarianceTrace.isFinite, noise.squaredNorm.isFinite else {
      throw DistsgdError(
        .diverged, "the gradient at these weights is not finite; see --initialize and --data")
    }
    let count = noise.exampleCount
    // Forwards and backwards; the arithmetic of a small model is the least of its work.
    let work = max(3 * Double(setUp.model.forwardOperations), 500)
    let samples = options.samples ?? (work > 10_000 ? 200 : 2000)
    let batches =
      options.batches.map { Set($0).sorted() }
      ?? Self.defaultBatches(count, workOfBatch: Double(2 * samples) * work)
    try Self.requireEnd(batches, workOfExample: Double(2 * samples) * work)
    var rows: [NoiseMeasurement] = []
    Stages.begin(batches.count)
    for (series, batch) in batches.enumerated() {
      Stages.next("batches of \(batch)")
      for sampling in BatchSampling.allCases where sampling == .withReplacement || batch <= count {
        let measured = noise.deviation(
          batch: batch, sampling, samples: samples, seed: training.seed, series: series)
        rows.append(
          NoiseMeasurement(
            batch: batch, sampling: sampling, deviation: measured.value,
            standardError: measured.standardError,
            expected: noise.expectedDeviation(batch: batch, sampling)))
      }
    }
    return NoiseReport(
      data: setUp.dataSummary, model: setUp.specification.description, loss: setUp.loss,
      weights: training.initialize ?? "freshly drawn, seed \(training.seed)", samples: samples,
      noise: noise, rows: rows)
  }

  /// What was asked for must come to an end: the processor of a laptop takes some hours for so many operations.
  private static func requireEnd(_ batches: [Int], workOfExample: Double) throws {
    let examples = batches.reduce(0.0) { $0 + Double($1) }
    guard examples * workOfExample > 1e14 else { return }
    throw DistsgdError(
      .usage,
      "--batches \(batches.last!): all gradients of these batches are some \(fixed(examples * workOfExample / 1e12, 0))·10¹² operations, which takes days; give smaller --batches or fewer --samples"
    )
  }

  /// 1, 2, 4 … and `count`, up to 64 or as far as all of it takes about 10¹¹ operations.
  private static func defaultBatches(_ count: Int, workOfBatch: Double) -> [Int] {
    let all = Array(sequence(first: 1) { $0 * 2 < count ? $0 * 2 : nil }) + (count > 1 ? [count] : [])
    return all.filter { $0 <= 64 || 2 * Double($0) * workOfBatch <= 1e11 }
  }
}

/// The straight line y = slope·x + intercept with the least squared error, and the slope's standard error.
package struct LineFit: Sendable, Equatable {
  package let slope, intercept, slopeError: Double

  /// nil with fewer than two different x.
  package init?(_ points: [(x: Double, y: Double)]) {
    let n = Double(points.count)
    guard points.count >= 2 else { return nil }
    let x = points.reduce(0) { $0 + $1.x } / n
    let y = points.reduce(0) { $0 + $1.y } / n
    let xx = points.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
    let xy = points.reduce(0) { $0 + ($1.x - x) * ($1.y - y) }
    guard xx > 0 else { return nil }
    let slope = xy / xx
    let intercept = y - slope * x
    let residual = points.reduce(0) {
      let error = $1.y - slope * $1.x - intercept
      return $0 + error * error
    }
    self.slope = slope
    self.intercept = intercept
    slopeError = points.count > 2 ? (residual / (n - 2) / xx).squareRoot() : 0
  }
}
