// Dropout: in training some numbers become zero at random, the others are scaled up (Srivastava et al. 2014).
import CKernels
import RandomNumbers

/// Each number becomes 0 with probability `rate`, or is divided by 1 − rate; in inference nothing changes. Whether it
/// does is a function of (seed, epoch, position, layer), so it does not depend on ranks, shards or micro-batches.
public struct Dropout: Layer, Equatable {
  public static let names = ["dropout"]
  public static let form = "dropout:0.5"

  /// The probability of a zero.
  public let rate: Double

  /// - Precondition: `rate` is from 0 to below 1.
  public init(_ rate: Double) {
    precondition(rate >= 0 && rate < 1, "a dropout's rate is from 0 to below 1")
    self.rate = rate
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    guard let rate = try reader.nextNumber("the rate", .fraction) else {
      throw WordError(word.text, "the rate is missing, as in \(Self.form)")
    }
    self.rate = rate
    try reader.end()
  }

  public var description: String { "dropout:\(rate)" }
  public var needsOrder: Bool { true }
  public func output(of input: Shape) -> Shape { input }
  public func prepared(_ place: LayerPlace) -> any LayerPass { DropoutPass(self, place) }
}

private final class DropoutPass: LayerPass {
  private let seed: UInt64
  private let stream: Int
  private let width: Int
  /// A number is kept when 32 random bits are at least this.
  private let threshold: UInt32
  private let scale: Float
  /// Shape (maximumRows, width): 0, or the factor of what is kept.
  private let factors: UnsafeMutableBufferPointer<Float>

  init(_ layer: Dropout, _ place: LayerPlace) {
    seed = place.seed
    stream = place.number
    width = place.input.count
    threshold = UInt32(layer.rate * 0x1p32)
    scale = Float(1 / (1 - layer.rate))
    factors = .allocate(capacity: max(1, place.maximumRows * width))
  }

  deinit { factors.deallocate() }

  func forward(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass
  ) {
    guard case .training(let epoch, let position) = pass.mode else {
      _ = y.update(fromContentsOf: x)
      return
    }
    let random = Philox(seed: seed, purpose: .dropout, epoch: epoch, stream: stream)
    // A block of Philox serves four numbers of a row.
    let blocks = (width + 3) / 4
    for row in 0..<pass.rows {
      ckernels_dropout_factors(
        factors.baseAddress! + row * width, width, random.key.0, random.key.1, random.epoch, random.purpose,
        UInt64(position + row) &* UInt64(blocks), threshold, scale)
    }
    for i in x.indices { y[i] = x[i] * factors[i] }
  }

  func backward(
    _ dy: UnsafeBufferPointer<Float>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>?, _ pass: borrowing Pass, gradient: borrowing GradientSum
  ) {
    guard let dx else { return }
    guard case .training = pass.mode else {
      _ = dx.update(fromContentsOf: dy)
      return
    }
    for i in dy.indices { dx[i] = dy[i] * factors[i] }
  }
}
