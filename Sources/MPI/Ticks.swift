// The clock of the step's timings, read at every phase.
import CMPI

/// Readings of a counter with a constant rate.
package enum Ticks {
  @inlinable @inline(__always)
  package static var now: UInt64 { cmpi_ticks() }
}
