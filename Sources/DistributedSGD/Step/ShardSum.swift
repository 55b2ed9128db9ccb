// Sums over the global batch in the middle of a pass, for layers that look beyond their shard.
import MPI
import NeuralNet

/// Adds up what the shards of all ranks contribute, in the order of the reduction's tree: every rank learns every
/// shard's leaf, and adds them up itself.
final class ShardSum: GlobalBatchSum {
  private let communicator: any Communicator
  private let clock: PhaseClock
  /// Shape (active shards, floats of a sum), as bits: each has one rank's number and zeros, whose sum is exact.
  private var leaves: UnsafeMutableBufferPointer<Int32>
  private var firstShard = 0
  private var active = 0
  private var failure: MPIError?
  /// What the rank does between two sums.
  var phase = Phase.forward

  init(over communicator: any Communicator, clock: PhaseClock) {
    self.communicator = communicator
    self.clock = clock
    leaves = .allocate(capacity: 0)
  }

  deinit { leaves.deallocate() }

  /// Turns to a batch.
  /// - Parameters:
  ///   - firstShard: of this rank's.
  ///   - active: shards that have examples.
  func begin(firstShard: Int, active: Int) {
    self.firstShard = firstShard
    self.active = active
    phase = .forward
  }

  /// - Throws: what a sum since `begin` has thrown: a pass itself goes on to its end.
  func end() throws(MPIError) {
    if let failure { throw failure }
  }

  func sum(_ own: UnsafeMutableBufferPointer<Float>, into total: UnsafeMutableBufferPointer<Float>) {
    let count = total.count
    if leaves.count < active * count {
      leaves.deallocate()
      leaves = .allocate(capacity: active * count)
    }
    let all = UnsafeMutableBufferPointer(rebasing: leaves[..<(active * count)])
    all.update(repeating: 0)
    for (index, value) in own.enumerated() {
      all[firstShard * count + index] = Int32(bitPattern: value.bitPattern)
    }
    if communicator.worldSize > 1 {
      clock.mark(phase)
      do {
        try communicator.allReduce(all, .sum)
      } catch {
        failure = failure ?? error
      }
      clock.mark(.wait)
    }
    UnsafeMutableRawBufferPointer(all).withMemoryRebound(to: Float.self) { leaves in
      guard let sums = leaves.baseAddress else { return }
      addPairwise(sums, count: active, length: count)
      _ = total.update(fromContentsOf: leaves[..<count])
    }
  }
}
