// One row of timings.csv: what a clock has measured of a phase.

/// One phase of one rank over some time; durations in seconds.
public struct PhaseSummary: Sendable, Equatable {
  /// Stretches of time.
  public var count = 0
  /// Of all of them together.
  public var seconds = 0.0
  /// The median stretch, right to 3 %.
  public var p50 = 0.0
  /// The 99th percentile, right to 3 %.
  public var p99 = 0.0
  /// The longest stretch.
  public var maximum = 0.0

  package init(count: Int = 0, seconds: Double = 0, p50: Double = 0, p99: Double = 0, maximum: Double = 0) {
    self.count = count
    self.seconds = seconds
    self.p50 = p50
    self.p99 = p99
    self.maximum = maximum
  }

  /// Of a stretch; 0 where there was none.
  public var mean: Double { count == 0 ? 0 : seconds / Double(count) }
}
