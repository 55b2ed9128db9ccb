// What every numeric flag may be, in one place. All of it is checked in 64 bits before anything is allocated or
// converted.
import DataFormats
import MPI
import System

/// A flag that takes a whole number, or several.
package struct NumberRange: Sendable {
  package let flag: String
  package let values: ClosedRange<Int>

  package init(_ flag: String, _ values: ClosedRange<Int>) {
    self.flag = flag
    self.values = values
  }

  /// - Throws: `DistsgdError` (`usage`), when there is a number outside the range.
  package func check(_ numbers: [Int]) throws(DistsgdError) {
    guard let wrong = numbers.first(where: { !values.contains($0) }) else { return }
    throw DistsgdError(
      .usage, "\(flag) \(wrong): must be at least \(values.lowerBound) and at most \(values.upperBound)")
  }

  /// The same for one number; nil is a default.
  package func check(_ number: Int?) throws(DistsgdError) {
    if let number { try check([number]) }
  }
}

/// A flag that takes a decimal number, or several.
package struct DecimalRange: Sendable {
  package let flag: String
  package let values: ClosedRange<Double>
  /// What would be right.
  package let words: String

  /// - Throws: `DistsgdError` (`usage`), when there is a number outside the range; NaN is outside of each.
  package func check(_ numbers: [Double]) throws(DistsgdError) {
    guard let wrong = numbers.first(where: { !values.contains($0) }) else { return }
    throw DistsgdError(.usage, "\(flag) \(wrong): must be \(words)")
  }

  package func check(_ number: Double?) throws(DistsgdError) {
    if let number { try check([number]) }
  }
}

extension NumberRange {
  /// More than the steps or examples of any run, and few enough that no sum of them leaves 64 bits.
  private static let uncounted = 1...1_000_000_000_000_000
  /// BLAS counts rows in 32 bits.
  private static let rows = 1...Int(Int32.max)

  package static let globalBatch = NumberRange("--global-batch", rows)
  package static let baseBatch = NumberRange("--base-batch", rows)
  package static let microBatch = NumberRange("--micro-batch", rows)
  /// Every rank looks at all leaves of the tree when a run begins.
  package static let shards = NumberRange("--shards", 1...1 << 20)
  /// An epoch's number is a 32-bit word of its random numbers' counter.
  package static let epochs = NumberRange("--epochs", 1...Int(UInt32.max))
  package static let steps = NumberRange("--steps", uncounted)
  package static let examples = NumberRange("--examples", uncounted)
  package static let copies = NumberRange("--duplicate", uncounted)
  package static let evaluateEvery = NumberRange("--evaluate-every", uncounted)
  package static let logEvery = NumberRange("--log-every", uncounted)
  package static let checkEvery = NumberRange("--check-every", uncounted)
  package static let earlyStopping = NumberRange("--early-stopping", uncounted)
  package static let averagesFrom = NumberRange("--swa-from", epochs.values)
  package static let checkpointsKept = NumberRange("--keep", 1...1_000_000)
  /// Combinations of a random search.
  package static let draws = NumberRange("--random", 1...10_000)
  package static let threads = NumberRange("--threads", 1...4096)

  /// Positions in an epoch: `examples` in `copies`, which a double counts without a gap.
  /// - Throws: `DistsgdError` (`usage`), when they are too many.
  static func positions(examples: Int, copies: Int) throws(DistsgdError) -> Int {
    let most = 1 << 53
    let (positions, overflow) = examples.multipliedReportingOverflow(by: copies)
    guard !overflow, positions <= most else {
      throw DistsgdError(
        .usage,
        "--duplicate \(copies): of \(examples) examples there can be at most \(most / examples) copies")
    }
    return positions
  }
}

extension NumberRange {
  // The benches'. Three matrices of 20,000 rows fill 4.8 GB.
  package static let matrixSize = NumberRange("--size", 1...20_000)
  package static let matrixSizes = NumberRange("--sizes", 1...20_000)
  package static let block = NumberRange("--block", 1...20_000)
  package static let blocks = NumberRange("--blocks", 1...20_000)
  package static let rooflineSizes = NumberRange("--sizes", 1...16_384)
  package static let reducedFloats = NumberRange("--sizes", 1...1 << 28)
  package static let rounds = NumberRange("--rounds", 1...100_000)
  package static let gatheredBatch = NumberRange("--global-batch", 1...65_536)
  package static let noiseBatches = NumberRange("--batches", 1...1_000_000)
  package static let noiseSamples = NumberRange("--samples", 2...10_000_000)

  /// `verify` starts its ranks on this machine, where more than these only wait for each other.
  package static var verifiedRanks: NumberRange { NumberRange("--ranks", 1...64 * availableCores()) }
}

extension DecimalRange {
  /// What single precision holds, but for subnormal numbers.
  package static let learningRate = DecimalRange(
    flag: "--learning-rate",
    values: Double(Float.leastNormalMagnitude)...Double(Float.greatestFiniteMagnitude),
    words: "a number above 0 that single precision holds, 1.2e-38 to 3.4e38")
  package static let clipNorm = limit("--clip-norm")
  package static let clipValue = limit("--clip-value")

  package static let labelSmoothing = DecimalRange(
    flag: "--label-smoothing", values: 0...1, words: "a number from 0 to 1")
  package static let mixup = DecimalRange(
    flag: "--mixup", values: 0.001...1000, words: "a number from 0.001 to 1000")
  package static let averageDecay = DecimalRange(
    flag: "--ema", values: 0...0.999_999_9, words: "a number from 0 to below 1, such as 0.999")

  private static func limit(_ flag: String) -> DecimalRange {
    DecimalRange(flag: flag, values: learningRate.values, words: learningRate.words)
  }

  package static let plannedSeconds = DecimalRange(
    flag: "--seconds", values: 0.1...3600, words: "seconds from 0.1 to 3600")
  package static let noiseScale = DecimalRange(
    flag: "--noise-scale", values: 1e-6...1e15, words: "a number of examples above 0, at most 1e15")

  package static let timeout = DecimalRange(
    flag: "--timeout", values: 0...1e6, words: "seconds from 0 (never) to 1000000")
  package static let targetLoss = DecimalRange(
    flag: "--target-loss", values: -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude,
    words: "a finite number")
}
