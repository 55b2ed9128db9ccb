// The order of an epoch as a rank reads it: positions are computed many at a time.
import DataFormats
import Text

/// The examples at ranges of positions. Where one range begins at the end of another, further ones are listed ahead,
/// as when a process has every batch for itself; the ranks of a job skip each other's positions, and list only theirs.
package final class OrderReader {
  /// Positions that are listed ahead: a list that takes a part of the first-level cache.
  private static let ahead = 2048

  private let capacity: Int
  /// Shape (capacity), of which `listed.count` are in use: the examples at the positions `listed`.
  private let list: UnsafeMutablePointer<Int>
  private var listed = 0..<0
  /// What is listed.
  private var order: EpochOrder?
  /// The position that a reader of all positions asks for next.
  private var next = 0

  /// For ranges of up to `maximumCount` positions.
  package init(maximumCount: Int) {
    capacity = max(maximumCount, Self.ahead)
    list = .allocate(capacity: capacity)
  }

  deinit { list.deallocate() }

  /// The examples at `positions`; shape (positions.count), valid until the next call.
  package func examples(of order: EpochOrder, at positions: Range<Int>) -> UnsafePointer<Int> {
    precondition(positions.count <= capacity)
    if positions.lowerBound < listed.lowerBound || positions.upperBound > listed.upperBound
      || self.order !== order
    {
      fill(order, positions)
    }
    next = positions.upperBound == order.sampler.count ? 0 : positions.upperBound
    return UnsafePointer(list + (positions.lowerBound - listed.lowerBound))
  }

  private func fill(_ order: EpochOrder, _ positions: Range<Int>) {
    var end = positions.upperBound
    if positions.lowerBound == next {
      // Whole batches: half of one would be computed twice.
      let batches = max(1, Self.ahead / max(1, positions.count))
      end = min(positions.lowerBound + batches * positions.count, order.sampler.count)
    }
    listed = positions.lowerBound..<end
    self.order = order
    order.fill(list, positions: listed)
  }
}
