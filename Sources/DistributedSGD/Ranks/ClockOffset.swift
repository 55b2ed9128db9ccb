// How far the clocks of servers are apart, so that what happens on them can be told in one time.
import MPI
import System

/// This server's clock against that of rank 0.
package struct ClockOffset: Sendable, Equatable {
  /// Nanoseconds by which this server's monotonic clock is ahead.
  package var nanoseconds: Int = 0
  /// When that was found, by this clock.
  package var time: UInt64 = 0
  /// Half of the shortest way there and back: it is not further from the truth than that.
  package var uncertainty: Int = 0

  package init() {}

  /// Asks rank 0 for the time, from the first rank of every other server, some times over: of the answer that came
  /// soonest, rank 0's clock stood in the middle. Collective.
  package static func estimate(over communicator: any Communicator, rounds: Int = 16) throws(MPIError)
    -> ClockOffset
  {
    var own = ClockOffset()
    own.time = monotonicNanoseconds()
    let topology = communicator.topology
    guard topology.serverCount > 1 else { return own }
    let word = UnsafeMutableBufferPointer<Int>.allocate(capacity: 1)
    defer { word.deallocate() }
    word.initialize(repeating: 0)
    let leaders = topology.ranksOfServer.map { $0[0] }
    if communicator.rank == 0 {
      for leader in leaders.dropFirst() {
        for _ in 0..<rounds {
          try communicator.receive(word, from: leader, tag: tag)
          word[0] = Int(monotonicNanoseconds())
          try communicator.send(UnsafeBufferPointer(word), to: leader, tag: tag)
        }
      }
    } else if communicator.isServerLeader {
      var shortest = Int.max
      for _ in 0..<rounds {
        let asked = Int(monotonicNanoseconds())
        try communicator.send(UnsafeBufferPointer(word), to: 0, tag: tag)
        try communicator.receive(word, from: 0, tag: tag)
        let answered = Int(monotonicNanoseconds())
        guard answered - asked < shortest else { continue }
        shortest = answered - asked
        own.nanoseconds = (asked + shortest / 2) - word[0]
        own.uncertainty = shortest / 2
        own.time = UInt64(answered)
      }
    }
    // A server has one clock: what its first rank has found, the others take. Every element has one rank's number.
    let all = UnsafeMutableBufferPointer<Int>.allocate(capacity: 2 * topology.serverCount)
    defer { all.deallocate() }
    all.initialize(repeating: 0)
    let server = topology.serverOfRank[communicator.rank]
    if communicator.isServerLeader {
      all[2 * server] = own.nanoseconds
      all[2 * server + 1] = own.uncertainty
    }
    try communicator.allReduce(all, .sum)
    own.nanoseconds = all[2 * server]
    own.uncertainty = all[2 * server + 1]
    return own
  }

  /// Between two estimates, clocks are taken to drift evenly.
  package static func at(_ time: UInt64, _ first: ClockOffset, _ second: ClockOffset) -> Int {
    guard second.time > first.time else { return second.nanoseconds }
    let part = (Double(time) - Double(first.time)) / Double(second.time - first.time)
    return first.nanoseconds + Int(part * Double(second.nanoseconds - first.nanoseconds))
  }

  private static let tag = 3
}
