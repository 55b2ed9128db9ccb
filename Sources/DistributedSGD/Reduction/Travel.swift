// How gradients travel between servers. None of it changes a bit.
import NeuralNet
import System

/// What is sent at a time, and by which way.
public struct Travel: Sendable, Equatable {
  /// A way between servers.
  public enum Route: String, Sendable, CaseIterable {
    /// Every server sends its sums of a part to the part's owner, and gets the new parameters from there.
    case direct
    /// Recursive halving and doubling: log₂ S rounds, in each of which a server talks to one other.
    case rounds
  }

  /// By which way.
  public var route: Route
  /// Floats of a bucket, which travels by itself; nil: all at once.
  public var bucketLength: Int?
  /// In what sums and steps travel, where they are rounded to it anyway.
  package var format: GradientFormat

  package init(_ route: Route = .direct, bucketLength: Int? = nil, format: GradientFormat = .fp32) {
    self.route = route
    self.bucketLength = bucketLength
    self.format = format
  }
}

extension ArenaLayout {
  /// The arena in buckets of about `length` floats, whole blocks each. Where there are several, the last one has the loss
  /// and the words, which are there when all else is.
  /// - Parameter format: one of 16 bits has the loss and the words, which are none of them, always travel by themselves.
  package func buckets(length bucketLength: Int?, format: GradientFormat = .fp32) -> [Range<Int>] {
    let tail = loss / Self.block * Self.block
    let bucketLength = bucketLength ?? length
    guard tail > (format.isHalf ? 0 : bucketLength) else { return [0..<length] }
    let blocks = tail / Self.block
    let count = min(blocks, (tail + bucketLength - 1) / bucketLength)
    return (0..<count).map { index in
      let part = System.part(index, of: count, count: blocks)
      return part.lowerBound * Self.block..<part.upperBound * Self.block
    } + [tail..<length]
  }

  /// A part of a range that begins with a block, cut between blocks.
  func blocks(_ index: Int, of count: Int, in range: Range<Int>) -> Range<Int> {
    let blocks = System.part(index, of: count, count: (range.count + Self.block - 1) / Self.block)
    return min(
      range.lowerBound + blocks.lowerBound * Self.block, range.upperBound)..<min(
        range.lowerBound + blocks.upperBound * Self.block, range.upperBound)
  }
}
