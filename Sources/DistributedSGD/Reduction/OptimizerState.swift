// The arrays that an optimizer keeps beside the parameters: every rank has those of the part that it updates.
import MPI

/// An optimizer's state, split over the ranks as the updates are: a server holds it once at most.
package final class OptimizerState {
  package let names: [String]
  /// One pointer for each name, addressed as if the whole arena were there.
  let arrays: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  private let placement: ReductionPlan.Placement
  private let communicator: any Communicator
  private let parameterCount: Int
  /// Of each rank.
  private let ranges: [Range<Int>]
  private let ownMemory: UnsafeMutablePointer<Float>?
  /// On rank 0, once `gather` was called on several servers: shape (names, n).
  private var gathered: UnsafeMutablePointer<Float>?

  /// Collective over all ranks.
  init(
    _ names: [String], plan: ReductionPlan, communicator: any Communicator
  ) throws(MPIError) {
    self.names = names
    self.communicator = communicator
    placement = plan.placement
    parameterCount = plan.layout.parameterCount
    ranges = (0..<plan.worldSize).map(plan.updatedParameters)
    arrays = .allocate(capacity: max(1, names.count))
    let own = ranges[communicator.rank]
    var first: UnsafeMutablePointer<Float>?
    // Whole cache lines, so that ranks do not write to one line.
    let length = ArenaLayout.wholeLines(parameterCount)
    if placement == .shared {
      ownMemory = nil
      if !names.isEmpty {
        first = try communicator.allocateShared(byteCount: 4 * length * names.count)
          .assumingMemoryBound(to: Float.self)
      }
    } else {
      let count = own.count * names.count
      ownMemory = .allocate(capacity: max(1, count))
      ownMemory!.initialize(repeating: 0, count: count)
      first = ownMemory
    }
    for index in names.indices {
      let start = first! + index * (placement == .shared ? length : own.count)
      (arrays + index).initialize(to: placement == .shared ? start : start - own.lowerBound)
    }
  }

  deinit {
    arrays.deallocate()
    ownMemory?.deallocate()
    gathered?.deallocate()
  }

  /// Whether rank 0 sees only its own part: `gather` must then be called before `copy`.
  package var isSplit: Bool { placement == .split && !names.isEmpty }

  /// Brings all parts to rank 0, where they lie on several servers. Collective.
  package func gather() throws(MPIError) {
    guard isSplit else { return }
    if communicator.rank != 0 {
      let own = ranges[communicator.rank]
      // Of many ranks most have no part of a small model.
      for index in names.indices where !own.isEmpty {
        try communicator.send(
          UnsafeBufferPointer(start: arrays[index] + own.lowerBound, count: own.count), to: 0,
          tag: Self.tag)
      }
      return
    }
    let all = gathered ?? .allocate(capacity: names.count * parameterCount)
    gathered = all
    for (rank, range) in ranges.enumerated() where !range.isEmpty {
      for index in names.indices {
        let target = all + index * parameterCount + range.lowerBound
        if rank == 0 {
          target.update(from: arrays[index] + range.lowerBound, count: range.count)
        } else {
          try communicator.receive(
            UnsafeMutableBufferPointer(start: target, count: range.count), from: rank, tag: Self.tag)
        }
      }
    }
  }

  private static let tag = 3

  /// All of the state, shape (names, n); on rank 0 only, between two steps.
  package func copy(to memory: UnsafeMutablePointer<Float>) {
    for index in names.indices {
      let source = isSplit ? gathered.unsafelyUnwrapped + index * parameterCount : arrays[index]
      (memory + index * parameterCount).update(from: source, count: parameterCount)
    }
  }

  /// Takes this rank's part of what lies at `offset` in the array number `index`.
  package func restore(_ index: Int, _ values: UnsafeBufferPointer<Float>, at offset: Int) {
    let part = ranges[communicator.rank].clamped(to: offset..<offset + values.count)
    guard !part.isEmpty else { return }
    (arrays[index] + part.lowerBound).update(
      from: values.baseAddress! + (part.lowerBound - offset), count: part.count)
  }
}
