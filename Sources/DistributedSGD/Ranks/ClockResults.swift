// What a rank's clock has found since its last reset, in seconds.
import MPI
import System

extension PhaseClock {
  /// What this rank used, and what it cost the others.
  package var use: RankUse {
    let scale = secondsPerTick
    var wall = 0.0
    for phase in Phase.allCases { wall += seconds(of: phase) }
    return meetings.use(secondsPerTick: scale, wall: wall, own: Double(ownTicks) * scale)
  }

  /// For whom this rank has waited, longest first, at most `limit` of them.
  package func waits(limit: Int) -> [WaitForRank] {
    meetings.waits(secondsPerTick: secondsPerTick, limit: limit)
  }

  /// Turns readings of `Ticks` into nanoseconds of the monotonic clock.
  package var nanosecondReader: (UInt64) -> Int {
    let nanosecondsPerTick = 1e9 * secondsPerTick
    let (now, ticks) = (Int(monotonicNanoseconds()), Ticks.now)
    return { now - Int(Double(Int64(bitPattern: ticks &- $0)) * nanosecondsPerTick) }
  }

  /// The steps since the epoch's begin, in ranges; then none are counted until the next.
  package func takeRanges() -> [StepRange] { endRanges() }
}
