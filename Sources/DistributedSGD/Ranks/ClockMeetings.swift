// The meetings of the ranks on a rank's clock: it comes, it waits, it goes on.
import MPI
import System

extension PhaseClock {
  /// This rank comes to where it meets the others of its server.
  /// - Returns: since when it does nothing else, in ticks.
  @inline(__always)
  package func arrive() -> UInt64 {
    if meetings.isSampling {
      meetings.endSample(writing: ticks(of: .checkpoint), other: ticks(of: .other))
      mark(.other)
    }
    return last
  }

  /// It goes on.
  /// - Parameters:
  ///   - isStep: whether it was the first meeting of a step.
  ///   - isWhole: whether it was one of all ranks.
  @inline(__always)
  package func depart(_ opening: ServerBarrier.Opening, isStep: Bool, isWhole: Bool) {
    let arrived = last
    mark(.wait)
    let lastRank = meetings.book(opening, arrived: arrived, now: last, isStep: isStep, isWhole: isWhole)
    if isRecording { timeline?.tellOfMeeting(meetings.meetings, last: lastRank) }
    if isWhole { beginOwnWork() }
  }

  /// From here on this rank works by itself, which is looked at now and then.
  @inline(__always)
  private func beginOwnWork() {
    if meetings.isDue(last) {
      meetings.beginSample(last, writing: ticks(of: .checkpoint), other: ticks(of: .other))
    } else {
      meetings.forgetStretch()
    }
  }

  /// Messages of other servers have come.
  /// - Parameter isFirst: whether they were the first of the step, for which a rank that is late has all others wait.
  func markMessages(isFirst: Bool) {
    let began = last
    mark(.wait)
    if isFirst {
      messages = (began, last)
    } else {
      meetings.bookMessages(waited: last &- began, late: 0, last: meetings.rank)
    }
  }

  /// A step of several servers is over, and all know who came last.
  /// - Parameter arrival: of that rank, in nanoseconds of this server's clock.
  func depart(last: LastRank, arrival: Int) {
    let scale = 1e9 * secondsPerTick
    let (now, ticks) = (Int(monotonicNanoseconds()), Ticks.now)
    guard scale > 0 else { return }
    let came = ticks &- UInt64(max(0, Double(now - arrival) / scale))
    let late = Int64(bitPattern: came &- messages.began)
    meetings.bookMessages(
      waited: messages.ended &- messages.began,
      late: last.rank == meetings.rank || late < 0 ? 0 : UInt64(late),
      last: last.rank)
    meetings.bookStep()
    if last.rank == meetings.rank {
      meetings.bookDelay(UInt64(Double(last.delay) / scale), isStep: true)
    } else if isRecording, late > 0 {
      timeline?.tellOfMessages(step: step, last: last.rank)
    }
    beginOwnWork()
  }
}
