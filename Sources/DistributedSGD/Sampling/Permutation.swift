// A random order of N things that can be asked for one place at a time, in O(1) memory.
import NeuralNet

/// A pseudo-random permutation of 0 ..< count, a function of (seed, purpose, epoch) alone.
///
/// A Feistel network over pairs (l, r) in Z_a × Z_b with a·b just above `count` (Black and Rogaway 2002,
/// "Ciphers with arbitrary finite domains"): the rounds alternately add a hash of one half to the other,
/// which is a permutation of the a·b pairs; a pair beyond `count` is sent through again ("cycle walking"),
/// which is rare because a·b − count < 2√count + 1.
public struct Permutation: Sendable {
  /// Below this many things four more rounds follow the six: a hash of so few halves mixes less. Measured over
  /// 3 million seeds, neighbours are then as far apart as in uniform permutations (chi-square).
  private static let smallCount = 1024

  public let count: Int
  private let a: UInt64
  private let b: UInt64
  private let keys: RoundKeys
  private let moreKeys: RoundKeys
  private let isSmall: Bool

  private typealias RoundKeys = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

  public init(count: Int, seed: UInt64, epoch: Int, purpose: RandomPurpose = .shuffle) {
    precondition(count >= 1)
    self.count = count
    var side = UInt64(Double(count).squareRoot())
    while side * side < UInt64(count) { side += 1 }
    a = side
    b = (UInt64(count) + side - 1) / side
    let random = Philox(seed: seed, purpose: purpose, epoch: epoch)
    keys = (random.bits(0), random.bits(1), random.bits(2), random.bits(3), random.bits(4), random.bits(5))
    isSmall = count < Self.smallCount
    moreKeys =
      isSmall ? (random.bits(6), random.bits(7), random.bits(8), random.bits(9), 0, 0) : (0, 0, 0, 0, 0, 0)
  }

  /// The thing at `position`; O(1).
  public subscript(position: Int) -> Int {
    precondition(position >= 0 && position < count)
    return place(UInt64(position) % a, UInt64(position) / a)
  }

  /// The things at consecutive positions, written to `things`; shape (positions.count).
  public func fill(_ things: UnsafeMutablePointer<Int>, positions: Range<Int>) {
    guard !positions.isEmpty else { return }
    precondition(positions.lowerBound >= 0 && positions.upperBound <= count)
    // The pair (l, r) counts along, which saves a division a thing.
    var left = UInt64(positions.lowerBound) % a
    var right = UInt64(positions.lowerBound) / a
    for i in 0..<positions.count {
      things[i] = place(left, right)
      left &+= 1
      if left == a {
        left = 0
        right &+= 1
      }
    }
  }

  /// Where the pair (l, r) goes.
  @inline(__always)
  private func place(_ left: UInt64, _ right: UInt64) -> Int {
    var index = encipher(left, right)
    while index >= UInt64(count) { index = encipher(index % a, index / a) }
    return Int(truncatingIfNeeded: index)
  }

  @inline(__always)
  private func encipher(_ left: UInt64, _ right: UInt64) -> UInt64 {
    var left = left
    var right = right
    left = Self.add(right, keys.0, to: left, modulo: a)
    right = Self.add(left, keys.1, to: right, modulo: b)
    left = Self.add(right, keys.2, to: left, modulo: a)
    right = Self.add(left, keys.3, to: right, modulo: b)
    left = Self.add(right, keys.4, to: left, modulo: a)
    right = Self.add(left, keys.5, to: right, modulo: b)
    if isSmall {
      left = Self.add(right, moreKeys.0, to: left, modulo: a)
      right = Self.add(left, moreKeys.1, to: right, modulo: b)
      left = Self.add(right, moreKeys.2, to: left, modulo: a)
      right = Self.add(left, moreKeys.3, to: right, modulo: b)
    }
    return right &* a &+ left
  }

  /// half + hash(other, key) modulo `modulus`, both halves below 2^32.
  @inline(__always)
  private static func add(_ other: UInt64, _ key: UInt64, to half: UInt64, modulo modulus: UInt64) -> UInt64 {
    // Two multiplications with a shift between them: one alone would be nearly affine in `other`. The upper
    // 32 bits are scaled to the modulus.
    var hash = (other ^ key) &* 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ (hash >> 32)) &* 0xD6E8_FEB8_6659_FD93
    let sum = half &+ ((hash >> 32) &* modulus) >> 32
    return sum >= modulus ? sum &- modulus : sum
  }
}
