// The clock of the step's timings, read at every phase.
import CMPI

/// Readings of a counter with a constant rate.
public enum Ticks {
  /// The counter now. Public, for only that is made part of its callers' code.
  @inlinable @inline(__always)
  public static var now: UInt64 { cmpi_ticks() }
}
