// How far the ranks of a server are with each bucket: counted in memory that they share, while layers still compute and
// messages still travel.
import MPI

/// Where threads and ranks wait for each other, bucket by bucket.
final class BucketGates {
  /// Shape (buckets): how often ranks of this server have left their gradients, have read the parameters for the last
  /// time in a step, and have the new parameters of all that they look after.
  private let summed, released, complete: UnsafeMutableBufferPointer<SharedTally>
  private let buckets: [Range<Int>]
  private let rankCount: Int
  private let spins: Int
  /// What the counts come to in this step.
  private var target: UInt32 = 0
  /// Of this rank's step: the buckets from these on are told of as left, and as read; those before `ready` are there again.
  private var (firstSummed, firstReleased, ready) = (0, 0, 0)

  static func byteCount(buckets: Int) -> Int { 3 * buckets * SharedTally.byteCount }

  /// - Parameters:
  ///   - memory: `byteCount` zeroed bytes that the ranks of this server share.
  ///   - spins: looks before a rank sleeps.
  init(memory: UnsafeMutableRawPointer, buckets: [Range<Int>], rankCount: Int, spins: Int) {
    let count = buckets.count
    func tallies(_ row: Int) -> UnsafeMutableBufferPointer<SharedTally> {
      let tallies = UnsafeMutableBufferPointer<SharedTally>.allocate(capacity: count)
      _ = tallies.initialize(
        from: (0..<count).map { SharedTally(memory: memory + (row * count + $0) * SharedTally.byteCount) })
      return tallies
    }
    (summed, released, complete) = (tallies(0), tallies(1), tallies(2))
    self.buckets = buckets
    self.rankCount = rankCount
    self.spins = spins
  }

  deinit {
    summed.deallocate()
    released.deallocate()
    complete.deallocate()
  }

  /// A step's gradients begin to come.
  func begin() {
    target &+= UInt32(rankCount)
    (firstSummed, firstReleased, ready) = (buckets.count - 1, buckets.count, 0)
  }

  func isSummed(_ bucket: Int) -> Bool { summed[bucket].has(target) }
  func isReleased(_ bucket: Int) -> Bool { released[bucket].has(target) }
  func end(_ bucket: Int) { complete[bucket].add() }

  /// This rank's gradients are there from `start` on; not yet the loss behind them.
  func sum(downTo start: Int) {
    while firstSummed > 0, buckets[firstSummed - 1].lowerBound >= start {
      firstSummed -= 1
      summed[firstSummed].add()
    }
  }

  /// All of this rank's gradients are there, the loss and its words.
  func sumAll() {
    sum(downTo: 0)
    summed[buckets.count - 1].add()
  }

  /// This rank reads no parameters from `start` on any more, in this step.
  func release(downTo start: Int) {
    while firstReleased > 0, buckets[firstReleased - 1].lowerBound >= start {
      firstReleased -= 1
      released[firstReleased].add()
    }
  }

  /// Whether the parameters before `end` are those of the last step.
  @inline(__always)
  func hasArrived(upTo end: Int) -> Bool {
    while ready < buckets.count - 1, buckets[ready].lowerBound < end {
      guard complete[ready].has(target) else { return false }
      ready += 1
    }
    return buckets[buckets.count - 1].lowerBound >= end || complete[buckets.count - 1].has(target)
  }

  /// Returns when they are, or when there is no hope.
  func awaitArrival(upTo end: Int, unless isHopeless: () -> Bool) {
    while !hasArrived(upTo: end), !isHopeless() {
      let bucket = ready < buckets.count - 1 && buckets[ready].lowerBound < end ? ready : buckets.count - 1
      complete[bucket].wait(for: target, spins: spins, unless: isHopeless)
    }
  }

  /// Returns when the loss and the words are those of this step.
  func awaitTail(unless isHopeless: () -> Bool) {
    complete[buckets.count - 1].wait(for: target, spins: spins, unless: isHopeless)
  }

  /// Returns when no rank of this server reads parameters.
  func awaitRelease(unless isHopeless: () -> Bool) {
    for bucket in buckets.indices { released[bucket].wait(for: target, spins: spins, unless: isHopeless) }
  }
}
