// A recording of some steps of one rank: every stretch of time between two marks, for `--trace`.
import MPI

/// Stretches of time in memory that is there before the first of them.
package final class Timeline {
  /// The time between two marks.
  package struct Stretch: BitwiseCopyable, Sendable {
    /// In ticks.
    package var start: UInt64
    package var end: UInt64
    package var step: Int32
    package var phase: Int32
    /// Of a wait at a barrier: which of the server's meetings it was; else 0.
    package var meeting: Int32
    /// Of a wait: for whom; -1: for nobody.
    package var last: Int32
  }

  /// Those that are recorded.
  package let steps: Range<Int>
  private let stretches: UnsafeMutableBufferPointer<Stretch>
  package private(set) var count = 0
  /// Stretches that there was no room for.
  package private(set) var missed = 0

  /// - Parameter capacity: stretches; more are counted and left out.
  package init(steps: Range<Int>, capacity: Int) {
    self.steps = steps
    stretches = .allocate(capacity: capacity)
    // Pages that the system has yet to find would cost the steps that are recorded.
    stretches.initialize(repeating: Stretch(start: 0, end: 0, step: 0, phase: 0, meeting: 0, last: -1))
  }

  deinit { stretches.deallocate() }

  package subscript(index: Int) -> Stretch { stretches[index] }

  func append(_ phase: Phase, _ ticks: Range<UInt64>, step: Int) {
    guard count < stretches.count else {
      missed += 1
      return
    }
    stretches[count] = Stretch(
      start: ticks.lowerBound, end: ticks.upperBound, step: Int32(truncatingIfNeeded: step),
      phase: Int32(phase.rawValue), meeting: 0, last: -1)
    count += 1
  }

  /// The last stretch was a wait for others.
  func tellOfMeeting(_ number: Int, last: Int) {
    guard count > 0, missed == 0 else { return }
    stretches[count - 1].meeting = Int32(truncatingIfNeeded: number)
    stretches[count - 1].last = Int32(truncatingIfNeeded: last)
  }

  /// The step's first wait for messages was for a rank of another server.
  func tellOfMessages(step: Int, last: Int) {
    var first: Int?
    var index = count - 1
    while index >= 0, stretches[index].step == Int32(truncatingIfNeeded: step) {
      if stretches[index].phase == Int32(Phase.wait.rawValue), stretches[index].meeting == 0 { first = index }
      index -= 1
    }
    if let first { stretches[first].last = Int32(truncatingIfNeeded: last) }
  }
}
