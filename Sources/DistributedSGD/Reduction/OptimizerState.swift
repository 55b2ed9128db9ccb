// The arrays that an optimizer keeps beside the parameters: every rank has those of the part that it updates.
import Glibc
import MPI

/// An optimizer's state, split over the ranks as the updates are: a server holds it once at most.
package final class OptimizerState {
  package let names: [String]
  /// One pointer for each name, to as many floats as the arena has; of a split state those that other ranks update are
  /// never touched, and so take no memory.
  let arrays: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  private let placement: ReductionPlan.Placement
  private let communicator: any Communicator
  private let parameterCount: Int
  /// Of this rank; on rank 0 of all.
  private let ranges: [[Range<Int>]]
  private let ownRanges: [Range<Int>]
  private let ownMemory: UnsafeMutableRawBufferPointer?
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
    ownRanges = plan.updatedParameters(of: communicator.rank)
    ranges = communicator.rank == 0 ? (0..<plan.worldSize).map(plan.updatedParameters) : []
    arrays = .allocate(capacity: max(1, names.count))
    // Whole cache lines, so that ranks do not write to one line.
    let length = ArenaLayout.wholeLines(parameterCount)
    let memory: UnsafeMutableRawPointer?
    if names.isEmpty {
      (ownMemory, memory) = (nil, nil)
    } else if placement == .shared {
      ownMemory = nil
      memory = try communicator.allocateShared(byteCount: 4 * length * names.count)
    } else {
      ownMemory = untouchedMemory(byteCount: 4 * length * names.count)
      memory = ownMemory?.baseAddress
    }
    let first = memory?.assumingMemoryBound(to: Float.self)
    for index in names.indices { (arrays + index).initialize(to: first! + index * length) }
  }

  deinit {
    arrays.deallocate()
    if let ownMemory { munmap(ownMemory.baseAddress!, ownMemory.count) }
    gathered?.deallocate()
  }

  /// Whether rank 0 sees only its own part: `gather` must then be called before `copy`.
  package var isSplit: Bool { placement == .split && !names.isEmpty }

  /// Brings all parts to rank 0, where they lie on several servers. Collective.
  package func gather() throws(MPIError) {
    guard isSplit else { return }
    if communicator.rank != 0 {
      for own in ownRanges {
        for index in names.indices {
          try communicator.send(
            UnsafeBufferPointer(start: arrays[index] + own.lowerBound, count: own.count), to: 0,
            tag: Self.tag)
        }
      }
      return
    }
    let all = gathered ?? .allocate(capacity: names.count * parameterCount)
    gathered = all
    for (rank, range) in ranges.enumerated().flatMap({ rank, all in all.map { (rank, $0) } }) {
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
    for own in ownRanges {
      let part = own.clamped(to: offset..<offset + values.count)
      guard !part.isEmpty else { continue }
      (arrays[index] + part.lowerBound).update(
        from: values.baseAddress! + (part.lowerBound - offset), count: part.count)
    }
  }
}

/// Zeros, of which only those pages take memory that are written to.
private func untouchedMemory(byteCount: Int) -> UnsafeMutableRawBufferPointer {
  let memory = mmap(
    nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
  guard let memory, memory != MAP_FAILED else { fatalError("no address space for \(byteCount) bytes") }
  // A large page would take the memory of its neighbours too.
  madvise(memory, byteCount, MADV_NOHUGEPAGE)
  return UnsafeMutableRawBufferPointer(start: memory, count: byteCount)
}
