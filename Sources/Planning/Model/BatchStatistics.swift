// What a larger batch is worth: steps and examples to the same loss.

/// McCandlish et al. 2018, "An empirical model of large-batch training" (arXiv:1812.06162), section 2: with B_noise the gradient
/// noise scale, a loss takes S = S_min·(1 + B_noise/B) steps, and E = S·B = E_min·(1 + B/B_noise) examples.
package struct BatchStatistics: Sendable, Equatable {
  /// B_noise, in examples.
  package let noiseScale: Double
  /// S_min; nil where nobody knows of a loss that was reached.
  package let leastSteps: Double?

  package init(noiseScale: Double, leastSteps: Double? = nil) {
    self.noiseScale = noiseScale
    self.leastSteps = leastSteps
  }

  /// - Parameters:
  ///   - steps: in which a run came to the loss.
  ///   - batch: of that run.
  package init(noiseScale: Double, steps: Double, batch: Int) {
    self.init(noiseScale: noiseScale, leastSteps: steps / (1 + noiseScale / Double(batch)))
  }

  /// Steps to the loss, over S_min.
  package func relativeSteps(batch: Int) -> Double { 1 + noiseScale / Double(batch) }

  /// Steps to the loss.
  package func steps(batch: Int) -> Double? { leastSteps.map { $0 * relativeSteps(batch: batch) } }

  /// E_min/E: the part of the examples that a batch of a few would not have needed less of (the statistical efficiency of
  /// Qiao et al. 2021, "Pollux", section 3.1, against the smallest batch).
  package func efficiency(batch: Int) -> Double { 1 / (1 + Double(batch) / noiseScale) }
}
