// How long a run has trained: a clock that stands while it evaluates.
import System

struct TrainingClock {
  /// Up to when it was stopped last.
  private var total: Double
  /// When it was last started; nil while it stands.
  private var start: Double?

  /// - Parameter seconds: of the run that goes on.
  init(seconds: Double) { total = seconds }

  var seconds: Double { total + (start.map { monotonicSeconds() - $0 } ?? 0) }

  mutating func run() { start = start ?? monotonicSeconds() }

  mutating func stop() {
    total = seconds
    start = nil
  }
}
