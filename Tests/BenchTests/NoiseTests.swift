import Bench
import DataFormats
import DistributedSGD
import MPI
import NeuralNet
import System
import Testing

@Suite struct NoiseTests {
  private let communicator = SingleProcessCommunicator()

  /// Five examples of two features, and a linear model at some weights.
  private func tiny() throws -> GradientNoise {
    let examples = Examples(
      count: 5, featureCount: 2, features: .float32([1, 2, -1, 0.5, 3, -2, 0.25, 1, -2, -1]),
      targets: .values([1, -0.5, 2, 0, 3]))
    let dataset = try Dataset(sharing: examples, over: communicator)
    let model = Sequential(inputs: 2, Dense(1))
    return GradientNoise(model: model, loss: .squared, dataset: dataset, parameters: [0.5, -0.25, 0.1])
  }

  @Test func gradientsByHand() throws {
    let noise = try tiny()
    // (ŷ − y)·(x, 1) of the first example: ŷ = 0.5·1 − 0.25·2 + 0.1.
    let error: Float = 0.1 - 1
    let expected = [error * 1, error * 2, error]
    for (a, b) in zip(noise.meanGradient(of: [0]), expected) { #expect(abs(a - b) < 1e-6) }
    let all = (0..<5).map { noise.meanGradient(of: [$0]) }
    for j in 0..<3 {
      #expect(abs(noise.meanGradient[j] - all.reduce(0) { $0 + $1[j] } / 5) < 1e-6)
    }
    #expect(noise.gradientNoiseScale == noise.covarianceTrace / noise.squaredNorm)
  }

  /// E‖g − G‖² over every ordered pair and triple of examples is tr(Σ)/b exactly.
  @Test func theoryWithReplacementAgainstAllDraws() throws {
    let noise = try tiny()
    var pairs = 0.0
    var triples = 0.0
    for i in 0..<5 {
      for j in 0..<5 {
        pairs += noise.squaredError(of: [i, j])
        for k in 0..<5 { triples += noise.squaredError(of: [i, j, k]) }
      }
    }
    #expect(abs(noise.expectedDeviation(batch: 2, .withReplacement) - (pairs / 25).squareRoot()) < 1e-5)
    #expect(abs(noise.expectedDeviation(batch: 3, .withReplacement) - (triples / 125).squareRoot()) < 1e-5)
  }

  /// E‖g − G‖² over every subset is tr(Σ)/b · (N − b)/(N − 1) exactly.
  @Test func theoryWithoutReplacementAgainstAllSubsets() throws {
    let noise = try tiny()
    for size in 1...5 {
      let subsets = (0..<32).filter { $0.nonzeroBitCount == size }
        .map { bits in (0..<5).filter { bits >> $0 & 1 == 1 } }
      let mean = subsets.reduce(0) { $0 + noise.squaredError(of: $1) } / Double(subsets.count)
      #expect(abs(noise.expectedDeviation(batch: size, .withoutReplacement) - mean.squareRoot()) < 1e-5)
    }
  }

  @Test func allExamplesWithoutReplacementHaveNoNoise() throws {
    let noise = try tiny()
    let all = noise.deviation(batch: 5, .withoutReplacement, samples: 20, seed: 1, series: 0)
    #expect(all.value == 0 && all.standardError == 0)
    #expect(noise.expectedDeviation(batch: 5, .withoutReplacement) == 0)
  }

  @Test func sampledDeviationsMeetTheTheory() throws {
    let noise = try tiny()
    for sampling in BatchSampling.allCases {
      for batch in 1...4 {
        let measured = noise.deviation(batch: batch, sampling, samples: 4000, seed: 3, series: batch)
        let expected = noise.expectedDeviation(batch: batch, sampling)
        #expect(abs(measured.value - expected) < 5 * measured.standardError)
        #expect(measured.standardError < 0.05 * expected)
      }
    }
  }

  @Test(arguments: [0, 1, 2] as [UInt64]) func slopeOnAirfoilLike(seed: UInt64) throws {
    var options = NoiseOptions()
    options.training.seed = seed
    let report = try NoiseBench(options).run()
    #expect(report.exampleCount == 1500)
    let slope = try #require(report.fit).slope
    #expect(abs(slope + 0.5) < 0.02)
    #expect(report.rows.last { $0.sampling == .withoutReplacement }?.batch == 1500)
    for row in report.rows where row.sampling == .withoutReplacement {
      if row.batch == 1500 {
        #expect(row.deviation == 0 && row.expected == 0)
      } else {
        #expect(abs(row.deviation / row.expected - 1) < 0.1)
      }
    }
    #expect(report.text.contains("slope with replacement on log-log axes: -0."))
    #expect(report.plots.first?.plot.svg().contains("√((N−b)/(N−1))</text>") == true)
    #expect(report.json.description.contains("\"gradientNoiseScale\":"))
  }

  @Test func batchesAndModelsAsAskedFor() throws {
    var options = NoiseOptions()
    options.training.data.data = "synthetic:100,3"
    options.training.model = ModelSpecification(mlp: [4])
    options.batches = [200, 10, 10]
    options.samples = 50
    let report = try NoiseBench(options).run()
    #expect(report.rows.map(\.batch) == [10, 10, 200])
    #expect(report.rows.map(\.sampling) == [.withReplacement, .withoutReplacement, .withReplacement])
    options.batches = [0]
    #expect(throws: DistsgdError.self) { try NoiseBench(options).run() }
  }

  @Test func lineFit() throws {
    let fit = try #require(LineFit([(0, 1), (1, 3), (2, 5)]))
    #expect(fit.slope == 2 && fit.intercept == 1 && fit.slopeError == 0)
    #expect(LineFit([(1, 1)]) == nil && LineFit([(1, 1), (1, 2)]) == nil)
  }
}
