// A barrier among the ranks of one server, in memory they share: one atomic addition to arrive, and a
// wait that first spins, then yields the core, then sleeps.
import CMPI
import Glibc

/// A generation barrier: the last rank to arrive opens the next generation and wakes the sleepers.
///
/// Who waits spins where every rank has a core. With more ranks than cores a spinning rank keeps the one it
/// waits for from running, so there it yields at once and soon sleeps (a futex, which works across processes).
package final class ServerBarrier {
  /// Bytes of shared, zeroed memory that a barrier needs: three words, each on a cache line of its own.
  package static let byteCount = 3 * 64

  private let arrivals: UnsafeMutablePointer<UInt32>
  private let generation: UnsafeMutablePointer<UInt32>
  private let sleepers: UnsafeMutablePointer<UInt32>
  private let rankCount: UInt32
  private let spins: Int
  private let yields: Int

  /// - Parameters:
  ///   - memory: `byteCount` zeroed bytes that all `rankCount` ranks share.
  ///   - hasOwnCores: whether every rank of the server can run at the same time.
  package convenience init(memory: UnsafeMutableRawPointer, rankCount: Int, hasOwnCores: Bool) {
    let whenIdle = getenv("OMPI_MCA_mpi_yield_when_idle").map { String(cString: $0) }
    let patience = Self.patience(hasOwnCores: hasOwnCores, yieldsWhenIdle: whenIdle)
    self.init(memory: memory, rankCount: rankCount, spins: patience.spins, yields: patience.yields)
  }

  /// With as many looks as these before it sleeps.
  package init(memory: UnsafeMutableRawPointer, rankCount: Int, spins: Int, yields: Int) {
    arrivals = memory.assumingMemoryBound(to: UInt32.self)
    generation = (memory + 64).assumingMemoryBound(to: UInt32.self)
    sleepers = (memory + 128).assumingMemoryBound(to: UInt32.self)
    self.rankCount = UInt32(rankCount)
    self.spins = spins
    self.yields = yields
  }

  /// How often a waiting rank looks before it sleeps.
  ///
  /// - Parameter yieldsWhenIdle: Whether Open MPI has been told to let others run while it waits. A server may have a
  ///   core for each of its ranks and yet share the cores: with other jobs, or with other servers in containers on the
  ///   same machine.
  package static func patience(
    hasOwnCores: Bool, yieldsWhenIdle: String?
  ) -> (spins: Int, yields: Int) {
    let mustYield = ["1", "true", "yes", "enabled"].contains(yieldsWhenIdle?.lowercased())
    return hasOwnCores && !mustYield ? (20_000, 100) : (0, 10)
  }

  /// Returns when all ranks have arrived. What they wrote before is visible after.
  package func wait() {
    let current = cmpi_load_acquire(generation)
    if cmpi_fetch_add(arrivals, 1) == rankCount - 1 {
      cmpi_store_release(arrivals, 0)
      _ = cmpi_fetch_add(generation, 1)
      if cmpi_load_sequential(sleepers) != 0 { cmpi_futex_wake_all(generation) }
      return
    }
    for _ in 0..<spins {
      if cmpi_load_acquire(generation) != current { return }
      cmpi_relax()
    }
    for _ in 0..<yields {
      if cmpi_load_acquire(generation) != current { return }
      sched_yield()
    }
    _ = cmpi_fetch_add(sleepers, 1)
    while cmpi_load_sequential(generation) == current { cmpi_futex_wait(generation, current, 100) }
    _ = cmpi_fetch_add(sleepers, UInt32.max)
  }
}
