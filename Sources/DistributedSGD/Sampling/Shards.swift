// How a global batch is cut into shards, and which rank owns which.
import DataFormats
import System

/// V shards of every batch over P ranks, P ≤ V.
public struct Shards: Sendable, Equatable {
  /// V
  public let count: Int
  /// P
  public let worldSize: Int

  /// - Precondition: 1 ≤ P ≤ V.
  public init(count: Int, worldSize: Int) {
    precondition(worldSize >= 1 && count >= worldSize)
    self.count = count
    self.worldSize = worldSize
  }

  /// The shards of `rank`: ⌊rV/P⌋ ..< ⌊(r+1)V/P⌋.
  public func owned(by rank: Int) -> Range<Int> {
    rank * count / worldSize..<(rank + 1) * count / worldSize
  }

  /// The examples of `shard`, as positions within a batch of `batch` examples; may be empty.
  public func examples(of shard: Int, batch: Int) -> Range<Int> {
    part(shard, of: count, count: batch)
  }

  /// Shards that have examples: the first ones, since the longer come first.
  public func active(batch: Int) -> Int { min(count, batch) }

  /// Examples of one forward and backward pass over a shard: a micro-batch, or all of it.
  package func rowsOfPass(batch: Int, microBatch: Int?) -> Int {
    let largestShard = examples(of: 0, batch: batch).count
    return max(1, min(microBatch ?? largestShard, largestShard))
  }

  /// Examples of a batch that `rank` works on.
  public func exampleCount(of rank: Int, batch: Int) -> Int {
    let shards = owned(by: rank)
    return examples(of: shards.upperBound - 1, batch: batch).upperBound
      - examples(of: shards.lowerBound, batch: batch).lowerBound
  }
}
