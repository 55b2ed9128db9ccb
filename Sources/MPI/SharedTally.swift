// How often the ranks of a server have done something together: a number that only grows, and that others wait for.
import CMPI
import Glibc

/// Counts in memory that the ranks of a server share. Who waits spins where every rank has a core, and else soon sleeps (as
/// in `ServerBarrier`).
package struct SharedTally {
  /// Bytes of shared, zeroed memory: a cache line.
  package static let byteCount = 64

  private let count: UnsafeMutablePointer<UInt32>
  private let sleepers: UnsafeMutablePointer<UInt32>

  /// - Parameter memory: `byteCount` zeroed bytes that all ranks share.
  package init(memory: UnsafeMutableRawPointer) {
    count = memory.assumingMemoryBound(to: UInt32.self)
    sleepers = count + 1
  }

  /// One more. What this thread wrote before is seen by who finds the count.
  package func add() {
    _ = cmpi_fetch_add(count, 1)
    if cmpi_load_sequential(sleepers) != 0 { cmpi_futex_wake_all(count) }
  }

  /// Whether it has come to `target`. The count goes round after 2³²; no two that are compared are half of that apart.
  @inline(__always)
  package func has(_ target: UInt32) -> Bool {
    Int32(bitPattern: cmpi_load_acquire(count) &- target) >= 0
  }

  /// Returns when it has come to `target`, or when `isHopeless` is true, which is looked at ten times a second.
  package func wait(for target: UInt32, spins: Int, unless isHopeless: () -> Bool) {
    for _ in 0..<spins {
      if has(target) { return }
      cmpi_relax()
    }
    for _ in 0..<10 {
      if has(target) { return }
      sched_yield()
    }
    _ = cmpi_fetch_add(sleepers, 1)
    while !has(target), !isHopeless() {
      let now = cmpi_load_sequential(count)
      if Int32(bitPattern: now &- target) < 0 { cmpi_futex_wait(count, now, 100) }
    }
    _ = cmpi_fetch_add(sleepers, UInt32.max)
  }
}
