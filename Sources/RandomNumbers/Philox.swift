// Counter-based random numbers: every draw is a pure function of (seed, purpose, epoch, index), so
// no result depends on which rank draws it, or in which order.

/// What a random number is for. Two purposes never share a draw.
public enum RandomPurpose: UInt32, Sendable {
  /// First values of parameters.
  case initialization = 1
  /// The order of an epoch.
  case shuffle = 2
  /// Examples drawn with replacement.
  case replacement = 3
  /// Data that are drawn.
  case syntheticData = 4
  /// Which examples are held out.
  case validationSplit = 5
  /// Batches of `bench noise`.
  case gradientNoise = 6
  /// Masks, and whatever else a layer draws (its `stream` is the layer's number).
  case dropout = 7
  /// Crops, mirror images and squares cut out of pictures.
  case augmentation = 8
  /// Partners of examples and their shares.
  case mixup = 9
  /// The order of the classes' examples in a balanced epoch.
  case balance = 10
  /// Settings of a random search.
  case search = 11
}

/// Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
///
/// The key is the 64-bit seed; the 128-bit counter is (index, epoch, purpose and stream).
public struct Philox: Sendable {
  @usableFromInline package let key: (UInt32, UInt32)
  @usableFromInline package let epoch: UInt32
  @usableFromInline package let purpose: UInt32

  /// - Parameter stream: another one for every user of a purpose, below 2²⁴.
  public init(seed: UInt64, purpose: RandomPurpose, epoch: Int = 0, stream: Int = 0) {
    key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    self.epoch = UInt32(truncatingIfNeeded: epoch)
    self.purpose = purpose.rawValue | UInt32(truncatingIfNeeded: stream) << 8
  }

  /// The four 32-bit words of draw number `index`.
  @inlinable
  public func words(_ index: UInt64) -> SIMD4<UInt32> {
    Philox.block(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), epoch, purpose),
      key: key)
  }

  /// Draw number `index` as 64 bits.
  @inlinable
  public func bits(_ index: UInt64) -> UInt64 {
    let w = words(index)
    return UInt64(w[0]) | UInt64(w[1]) << 32
  }

  /// Draw number `index`, uniform on [0, 1): 53 random bits.
  @inlinable
  public func uniform(_ index: UInt64) -> Double {
    Double(bits(index) >> 11) * 0x1p-53
  }

  /// Draw number `index`, uniform on 0 ..< bound by a 64 x 64 bit product (Lemire 2019); the bias is below
  /// bound / 2^64.
  @inlinable
  public func integer(_ index: UInt64, below bound: Int) -> Int {
    Int(bits(index).multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// One Philox 4x32-10 block: ten rounds of two 32 x 32 bit products.
  @inlinable
  public static func block(counter: SIMD4<UInt32>, key: (UInt32, UInt32)) -> SIMD4<UInt32> {
    var c0 = counter[0]
    var c1 = counter[1]
    var c2 = counter[2]
    var c3 = counter[3]
    var k0 = key.0
    var k1 = key.1
    for _ in 0..<10 {
      let p0 = UInt64(c0) &* 0xD251_1F53
      let p1 = UInt64(c2) &* 0xCD9E_8D57
      c0 = UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0
      c1 = UInt32(truncatingIfNeeded: p1)
      c2 = UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1
      c3 = UInt32(truncatingIfNeeded: p0)
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return SIMD4(c0, c1, c2, c3)
  }
}
