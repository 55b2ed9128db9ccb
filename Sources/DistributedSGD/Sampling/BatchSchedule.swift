// Which positions of which epoch a step works on.

/// What happens to the examples that do not fill a batch at an epoch's end.
public enum LastBatch: String, Sendable, CaseIterable {
  /// `keep` makes a shorter batch of them, whose gradient is still the mean over its own examples; `drop` leaves them
  /// out.
  case keep, drop
}

/// The batches of every epoch. Step t of an epoch takes positions tB … min((t + 1)B, N) − 1.
public struct BatchSchedule: Sendable, Equatable {
  /// N, positions in an epoch.
  public let exampleCount: Int
  /// B
  public let globalBatch: Int
  /// What happens to the last N mod B positions.
  public let lastBatch: LastBatch

  /// - Precondition: 1 ≤ B ≤ N.
  public init(exampleCount: Int, globalBatch: Int, lastBatch: LastBatch) {
    precondition(globalBatch >= 1 && globalBatch <= exampleCount)
    self.exampleCount = exampleCount
    self.globalBatch = globalBatch
    self.lastBatch = lastBatch
  }

  /// Updates in an epoch.
  @inlinable
  public var stepsPerEpoch: Int {
    lastBatch == .keep ? (exampleCount + globalBatch - 1) / globalBatch : exampleCount / globalBatch
  }

  /// The positions of step `step` of an epoch.
  @inlinable
  public func positions(step: Int) -> Range<Int> {
    step * globalBatch..<min((step + 1) * globalBatch, exampleCount)
  }

  /// The batch sizes that occur: the full one, and a short last one if there is one.
  public var batchSizes: [Int] {
    let rest = exampleCount % globalBatch
    return rest > 0 && lastBatch == .keep ? [globalBatch, rest] : [globalBatch]
  }
}
