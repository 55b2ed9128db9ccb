// A barrier among the ranks of one server, in memory they share: one atomic addition to arrive, and a
// wait that first spins, then yields the core, then sleeps.
import CMPI
import Glibc

/// A generation barrier: the last rank to arrive opens the next generation and wakes the sleepers.
///
/// Who waits spins where every rank has a core. With more ranks than cores a spinning rank keeps the one it
/// waits for from running, so there it yields at once. Where nobody wants its core, a yield is over in a fraction of a
/// microsecond: who still waits after some hundreds of them sleeps (a futex, which works across processes).
package final class ServerBarrier {
  /// Bytes of shared, zeroed memory that a barrier needs: three words, each on a cache line of its own.
  package static let byteCount = 3 * 64

  /// How a meeting came to its end, as all who met find it.
  package struct Opening {
    /// The rank of the server that came last: all the others have waited for it.
    package let last: Int
    /// When it came, by `Ticks`.
    package let ticks: UInt64
    /// Whether that is the one who asks.
    package let isOwn: Bool
    /// Ticks by which it came later than the last but one: so much sooner the others could have gone on without it.
    package let delay: UInt64

    package init(last: Int, ticks: UInt64, isOwn: Bool, delay: UInt64) {
      (self.last, self.ticks, self.isOwn, self.delay) = (last, ticks, isOwn, delay)
    }
  }

  private let arrivals: UnsafeMutablePointer<UInt32>
  /// When the last but one came; on the cache line of the arrivals, which it has just then.
  private let lastButOne: UnsafeMutablePointer<UInt64>
  private let generation: UnsafeMutablePointer<UInt32>
  /// Who came last and when; on the cache line of the generation, which all look at. They stay until every rank has come
  /// to the next meeting.
  private let last: UnsafeMutablePointer<UInt32>
  private let opened: UnsafeMutablePointer<UInt64>
  private let delay: UnsafeMutablePointer<UInt64>
  private let sleepers: UnsafeMutablePointer<UInt32>
  private let localRank: UInt32
  private let rankCount: UInt32
  private let spins: Int
  private let yields: Int

  /// - Parameters:
  ///   - memory: `byteCount` zeroed bytes that all `rankCount` ranks share.
  ///   - hasOwnCores: whether every rank of the server can run at the same time.
  package convenience init(
    memory: UnsafeMutableRawPointer, localRank: Int, rankCount: Int, hasOwnCores: Bool
  ) {
    let patience = Self.patience(hasOwnCores: hasOwnCores)
    self.init(
      memory: memory, localRank: localRank, rankCount: rankCount, spins: patience.spins,
      yields: patience.yields)
  }

  /// With as many looks as these before it sleeps.
  package init(memory: UnsafeMutableRawPointer, localRank: Int, rankCount: Int, spins: Int, yields: Int) {
    arrivals = memory.assumingMemoryBound(to: UInt32.self)
    lastButOne = (memory + 8).assumingMemoryBound(to: UInt64.self)
    generation = (memory + 64).assumingMemoryBound(to: UInt32.self)
    last = (memory + 68).assumingMemoryBound(to: UInt32.self)
    opened = (memory + 72).assumingMemoryBound(to: UInt64.self)
    delay = (memory + 80).assumingMemoryBound(to: UInt64.self)
    sleepers = (memory + 128).assumingMemoryBound(to: UInt32.self)
    self.localRank = UInt32(localRank)
    self.rankCount = UInt32(rankCount)
    self.spins = spins
    self.yields = yields
  }

  /// How often a waiting rank looks before it sleeps, in this environment.
  package static func patience(hasOwnCores: Bool) -> (spins: Int, yields: Int) {
    patience(
      hasOwnCores: hasOwnCores,
      yieldsWhenIdle: getenv("OMPI_MCA_mpi_yield_when_idle").map { String(cString: $0) })
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
    return hasOwnCores && !mustYield ? (20_000, 100) : (0, 200)
  }

  /// Returns when all ranks have arrived. What they wrote before is visible after.
  /// - Parameter arrived: when this rank came, by `Ticks`.
  @discardableResult
  package func wait(arrived: UInt64 = Ticks.now) -> Opening {
    let current = cmpi_load_acquire(generation)
    let place = cmpi_fetch_add(arrivals, 1)
    if place == rankCount - 1 { return open() }
    if place == rankCount - 2 { cmpi_store64(lastButOne, arrived) }
    sleepOut(current)
    return Opening(last: Int(last.pointee), ticks: opened.pointee, isOwn: false, delay: delay.pointee)
  }

  /// Lets all go on.
  @inline(__always)
  private func open() -> Opening {
    let now = Ticks.now
    let before = cmpi_load64(lastButOne)
    // A word that is older than the meeting before: the last but one came at this moment, and has yet to say so.
    let late = before > opened.pointee && before < now ? now - before : 0
    last.pointee = localRank
    opened.pointee = now
    delay.pointee = late
    cmpi_store_release(arrivals, 0)
    _ = cmpi_fetch_add(generation, 1)
    if cmpi_load_sequential(sleepers) != 0 { cmpi_futex_wake_all(generation) }
    return Opening(last: Int(localRank), ticks: now, isOwn: true, delay: late)
  }

  /// Returns when the generation is no longer `current`.
  @inline(__always)
  private func sleepOut(_ current: UInt32) {
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
