// How noisy the gradients of single examples are, for free from the sums that a step makes anyway.

/// Unbiased estimates from the gradients of one batch and of its two halves.
///
/// With Σ the covariance of the examples' gradients, G their mean and g_b the mean over b examples, E‖g_b‖² is
/// ‖G‖² + tr(Σ)/b. Two sizes of b give both (McCandlish et al. 2018, "An empirical model of large-batch training",
/// appendix A.1). Here the sizes are those of the halves of the shards, and of all: as far apart as they can be at any
/// number of ranks, with the same bits.
package struct NoiseSample: Sendable, Equatable {
  /// tr(Σ)
  package let covarianceTrace: Double
  /// ‖G‖²
  package let squaredNorm: Double

  package init(covarianceTrace: Double, squaredNorm: Double) {
    self.covarianceTrace = covarianceTrace
    self.squaredNorm = squaredNorm
  }

  /// - Parameters:
  ///   - left, right: how many examples, and the squared norm of the sum of their gradients over the size of the batch.
  ///   - squaredNorm: of the batch's gradient.
  ///   - population: the examples that batches are drawn from without replacement; nil: with.
  package init(
    left: (count: Int, square: Double), right: (count: Int, square: Double), squaredNorm: Double,
    population: Int?
  ) {
    let batch = Double(left.count + right.count)
    // Σ b_i/B · ‖g_i‖² is ‖G‖² + 2·tr(Σ)/B on average, whatever the sizes of the halves.
    let ofHalves = batch / Double(left.count) * left.square + batch / Double(right.count) * right.square
    covarianceTrace = (ofHalves - squaredNorm) * batch
    let spread = 1 / batch - (population.map { 1 / Double($0) } ?? 0)
    self.squaredNorm = squaredNorm - covarianceTrace * spread
  }
}

/// The gradient noise scale tr(Σ)/‖G‖², the batch size at which noise and signal balance.
///
/// Numerator and denominator are averaged apart. The k-th sample has a weight ∝ k(k+1)(k+2), so that the averages are over
/// about the last quarter of the samples however many there are, and need no memory of a length to be chosen (polynomial
/// decay: Shamir & Zhang 2013, "Stochastic gradient descent for non-smooth optimization", section 4).
package struct NoiseScale: Sendable, Equatable {
  package var covarianceTrace = 0.0
  package var squaredNorm = 0.0
  /// Samples so far.
  package var count = 0

  package init() {}

  package mutating func add(_ sample: NoiseSample) {
    count += 1
    let share = 4 / Double(count + 3)
    covarianceTrace += share * (sample.covarianceTrace - covarianceTrace)
    squaredNorm += share * (sample.squaredNorm - squaredNorm)
  }

  /// Examples; nil as long as the gradient cannot be told from its noise.
  package var value: Double? {
    squaredNorm > 0 && covarianceTrace >= 0 ? covarianceTrace / squaredNorm : nil
  }
}
