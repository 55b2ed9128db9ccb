// Which examples mixup mixes, and by how much (Zhang et al. 2018, "mixup: beyond empirical risk minimization").
import RandomNumbers

/// Mixup's draws of one epoch: λ from Beta(α, α) and a partner within the batch for the example at each position. The
/// example becomes λ·x + (1 − λ)·x′, and so do its target and its weight.
package struct Mixing {
  private let alpha: Double
  private let seed: UInt64
  private let epoch: Int

  /// - Parameter alpha: above 0.
  package init(alpha: Double, seed: UInt64, epoch: Int) {
    self.alpha = alpha
    self.seed = seed
    self.epoch = epoch
  }

  /// The position of the partner, any of the batch with the same probability.
  package func partner(of position: Int, in batch: Range<Int>) -> Int {
    batch.lowerBound + random(0).integer(UInt64(position), below: batch.count)
  }

  /// λ = G/(G + G′), G and G′ from Gamma(α): with logarithms, so that neither can vanish.
  package func share(at position: Int) -> Float {
    let difference = logarithmOfGamma(1, position) - logarithmOfGamma(0, position)
    return Float(1 / (1 + exponential(min(max(difference, -700), 700))))
  }

  /// Marsaglia & Tsang 2000, "A simple method for generating gamma variables": Gamma(α) for α < 1 is
  /// Gamma(α + 1)·U^(1/α).
  /// - Parameter which: 0 or 1.
  private func logarithmOfGamma(_ which: Int, _ position: Int) -> Double {
    let index = UInt64(position)
    let d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    let boost = alpha < 1 ? logarithm(uniform(random(1 + which), index)) / alpha : 0
    // A try fails in fewer than 1 of 20: there is always another stream.
    var stream = 3 + 2 * which
    while true {
      let x = random(stream).normal(index)
      let root = 1 + c * x
      if root > 0 {
        let v = root * root * root
        let u = uniform(random(stream + 1), index)
        if logarithm(u) < 0.5 * x * x + d - d * v + d * logarithm(v) { return logarithm(d * v) + boost }
      }
      stream += 4
    }
  }

  private func random(_ stream: Int) -> Philox {
    Philox(seed: seed, purpose: .mixup, epoch: epoch, stream: stream)
  }

  /// On (0, 1].
  private func uniform(_ random: Philox, _ index: UInt64) -> Double {
    (Double(random.bits(index) >> 11) + 1) * 0x1p-53
  }
}
