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

  /// The first rank of every other server asks one that knows rank 0's time for it, some times over: in the middle of the
  /// answer that came soonest it was as late as that says. Rank 0 knows it, and after each of log₂ S rounds twice as many
  /// servers do. Collective.
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
    let server = topology.serverOfRank[communicator.rank]
    var distance = 1
    while communicator.isServerLeader, distance < topology.serverCount {
      if server < distance, server + distance < topology.serverCount {
        let leader = topology.ranksOfServer[server + distance][0]
        for _ in 0..<rounds {
          try communicator.receive(word, from: leader, tag: tag)
          word[0] = Int(monotonicNanoseconds()) - own.nanoseconds
          try communicator.send(UnsafeBufferPointer(word), to: leader, tag: tag)
        }
      } else if server >= distance, server < 2 * distance {
        let leader = topology.ranksOfServer[server - distance][0]
        var shortest = Int.max
        for _ in 0..<rounds {
          let asked = Int(monotonicNanoseconds())
          try communicator.send(UnsafeBufferPointer(word), to: leader, tag: tag)
          try communicator.receive(word, from: leader, tag: tag)
          let answered = Int(monotonicNanoseconds())
          guard answered - asked < shortest else { continue }
          shortest = answered - asked
          own.nanoseconds = (asked + shortest / 2) - word[0]
          own.uncertainty = shortest / 2
          own.time = UInt64(answered)
        }
      }
      distance *= 2
    }
    // A server has one clock: what its first rank has found, the others take. Every element has one rank's number.
    let all = UnsafeMutableBufferPointer<Int>.allocate(capacity: 2 * topology.serverCount)
    defer { all.deallocate() }
    all.initialize(repeating: 0)
    if communicator.isServerLeader {
      all[2 * server] = own.nanoseconds
      all[2 * server + 1] = own.uncertainty
    }
    try communicator.allReduce(all, .sum)
    own.nanoseconds = all[2 * server]
    // That of the server which was asked counts too, and of the one that it had asked.
    own.uncertainty = Self.path(to: server).reduce(0) { $0 + all[2 * $1 + 1] }
    return own
  }

  /// A server, the one that it asks for the time, the one which that has asked, and so on, without the first.
  package static func path(to server: Int) -> [Int] {
    var path: [Int] = []
    var server = server
    while server > 0 {
      path.append(server)
      server -= 1 << (Int.bitWidth - 1 - server.leadingZeroBitCount)
    }
    return path
  }

  /// Between two estimates, clocks are taken to drift evenly.
  package static func at(_ time: UInt64, _ first: ClockOffset, _ second: ClockOffset) -> Int {
    guard second.time > first.time else { return second.nanoseconds }
    let part = (Double(time) - Double(first.time)) / Double(second.time - first.time)
    return first.nanoseconds + Int(part * Double(second.nanoseconds - first.nanoseconds))
  }

  private static let tag = 3
}
