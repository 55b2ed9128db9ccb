// A random order of N things that can be asked for one place at a time, in O(1) memory.
import CKernels
import RandomNumbers

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

  /// N
  public let count: Int
  private let network: ckernels_network

  /// - Precondition: `count` is at least 1.
  public init(count: Int, seed: UInt64, epoch: Int, purpose: RandomPurpose = .shuffle) {
    precondition(count >= 1)
    self.count = count
    var side = Int(Double(count).squareRoot())
    while side * side < count { side += 1 }
    let random = Philox(seed: seed, purpose: purpose, epoch: epoch)
    network = ckernels_network(
      limit: UInt64(count), a: UInt32(side), b: UInt32((count + side - 1) / side),
      rounds: count < Self.smallCount ? 10 : 6,
      keys: (
        random.bits(0), random.bits(1), random.bits(2), random.bits(3), random.bits(4), random.bits(5),
        random.bits(6), random.bits(7), random.bits(8), random.bits(9)
      ))
  }

  /// The thing at `position`; O(1).
  public subscript(position: Int) -> Int {
    var thing = 0
    fill(&thing, positions: position..<position + 1)
    return thing
  }

  /// The things at consecutive positions, written to `things`; shape (positions.count).
  public func fill(_ things: UnsafeMutablePointer<Int>, positions: Range<Int>) {
    precondition(positions.lowerBound >= 0 && positions.upperBound <= count)
    withUnsafePointer(to: network) {
      ckernels_permute(things, positions.lowerBound, positions.count, $0)
    }
  }
}
