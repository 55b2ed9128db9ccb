// What the network between a job's servers can do: messages as a step sends them, and the smallest there are.
import Glibc
import MPI
import System

/// Times messages between the servers: every rank talks to one rank of every other server, and all at once, so that a
/// server sends and receives what it does in a step.
struct LinkMeasurement {
  private let communicator: any Communicator
  /// Floats of a model whose steps' messages these are.
  private let floats: Int

  /// Of the arithmetic between the messages of two steps. In it queues become empty and buckets of tokens full; of messages
  /// without a pause some networks carry half as many bytes as of those of steps.
  private let pause: Double

  /// So much is sent before anything is timed: connections are made, and their windows grow.
  private static let warmUpBytes = 1 << 20
  private static let secondsOfBlock = 0.3
  /// Of a step's arithmetic: about what lies between its two turns of messages.
  private static let shareOfUpdate = 0.05
  /// Of smaller models messages say nothing of the link's rate.
  private static let leastFloats = 1 << 16

  /// - Parameter communicator: of several servers, each with as many ranks.
  init(over communicator: any Communicator, floats: Int, pause: Double) {
    self.communicator = communicator
    self.pause = min(pause, Self.secondsOfBlock)
    self.floats = max(floats, Self.leastFloats)
  }

  /// Seconds of a step's two turns of messages with the smallest ones, and with those of the model. Collective.
  func measure() throws -> (least: Double, whole: Double) {
    let pieces = communicator.worldSize
    return (
      try seconds(count: 1, leastRepetitions: 20),
      try seconds(count: (floats + pieces - 1) / pieces, leastRepetitions: 3)
    )
  }

  /// Bytes that each server sends in that step.
  /// - Parameter floats: of the model.
  static func bytes(servers: Int, floats: Int) -> Double {
    NetworkTime.bytes(servers: servers, modelBytes: 4 * Double(max(floats, leastFloats)))
  }

  /// - Parameter count: floats of each message.
  private func seconds(count: Int, leastRepetitions: Int) throws -> Double {
    let topology = communicator.topology
    let own = topology.serverOfRank[communicator.rank]
    let place = topology.localRank(of: communicator.rank)
    let peers = topology.ranksOfServer.enumerated().filter { $0.offset != own }.map { $0.element[place] }
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: 2 * count * peers.count)
    memory.initialize(repeating: 0, count: 2 * count * peers.count)
    defer { memory.deallocate() }
    let messages = peers.enumerated().flatMap { index, peer in
      [
        Exchange.Message(.receive, memory + 2 * index * count, count: count, peer: peer, tag: 3),
        Exchange.Message(.send, memory + (2 * index + 1) * count, count: count, peer: peer, tag: 3),
      ]
    }
    let exchange = try communicator.exchange(messages)
    /// Seconds of the slowest rank, without the pauses.
    func steps(_ repetitions: Int, pause: Double) throws(MPIError) -> Double {
      var seconds = 0.0
      for _ in 0..<repetitions {
        if pause > 1e-4 { usleep(UInt32(pause * 1e6)) }
        try communicator.barrier()
        let start = monotonicSeconds()
        try exchange?.start()
        try exchange?.wait()
        seconds += monotonicSeconds() - start
        // Sums are added up, and parameters updated.
        let update = Self.shareOfUpdate * pause
        if update > 1e-5 { usleep(UInt32(update * 1e6)) }
        let end = monotonicSeconds()
        try exchange?.start()
        try exchange?.wait()
        seconds += monotonicSeconds() - end
      }
      return try communicator.allReduce(seconds, .maximum)
    }
    // A step has two turns, and a server sends with all its ranks.
    let sent = 2 * 4 * count * peers.count * topology.ranksOfServer[own].count
    let first = min(1000, max(2, (Self.warmUpBytes + sent - 1) / sent))
    let once = try steps(first, pause: 0) / Double(first)
    // Of the smallest messages the time does not depend on what was before.
    let pause = count > 1 ? pause : 0
    let repetitions = min(10_000, max(leastRepetitions, Int(Self.secondsOfBlock / max(once + pause, 1e-7))))
    return try steps(repetitions, pause: pause) / Double(repetitions)
  }
}
