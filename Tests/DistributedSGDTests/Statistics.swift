// Is a count what chance would give?
import Foundation
import Testing

/// How many standard deviations a chi-square value lies from its mean (Wilson and Hilferty 1931).
func deviate(chiSquare: Double, freedom: Int) -> Double {
  let k = Double(freedom)
  let (mean, variance) = (1 - 2 / (9 * k), 2 / (9 * k))
  return (cbrt(chiSquare / k) - mean) / variance.squareRoot()
}

/// Expects that draws fell evenly into bins: neither too unevenly nor too evenly, each with p > 1e-4. The draws
/// are the same in every run, so this passes always or never.
func expectUniform(
  _ counts: [Int], _ what: @autoclosure () -> String, sourceLocation: SourceLocation = #_sourceLocation
) {
  let expected = Double(counts.reduce(0, +)) / Double(counts.count)
  #expect(expected >= 5, "too few draws for \(counts.count) bins", sourceLocation: sourceLocation)
  let chiSquare = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  let z = deviate(chiSquare: chiSquare, freedom: counts.count - 1)
  #expect(
    abs(z) < 3.72, "\(what()): chi-square \(chiSquare) in \(counts.count) bins, z = \(z)",
    sourceLocation: sourceLocation)
}
