// What the network between a job's servers can do: messages as a step sends them, and the smallest there are.
import MPI
import System

/// Times messages between the servers: every rank talks to one rank of every other server, and all at once, so that a
/// server sends and receives what it does in a step.
struct LinkMeasurement {
  private let communicator: any Communicator
  /// Floats of a model whose steps' messages these are.
  private let floats: Int

  /// A token bucket lets some hundred kilobytes pass at once; so much is sent before anything is timed.
  private static let burstBytes = 1 << 20
  private static let secondsOfBlock = 0.2
  /// Of smaller models messages say nothing of the link's rate.
  private static let leastFloats = 1 << 16

  /// - Parameter communicator: of several servers, each with as many ranks.
  init(over communicator: any Communicator, floats: Int) {
    self.communicator = communicator
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
    func steps(_ repetitions: Int) throws(MPIError) -> Double {
      try communicator.barrier()
      let start = monotonicSeconds()
      for _ in 0..<2 * repetitions {
        try exchange?.start()
        try exchange?.wait()
      }
      return try communicator.allReduce(monotonicSeconds() - start, .maximum)
    }
    // A step has two turns, and a server sends with all its ranks.
    let sent = 2 * 4 * count * peers.count * topology.ranksOfServer[own].count
    let first = min(1000, max(2, (Self.burstBytes + sent - 1) / sent))
    let once = try steps(first) / Double(first)
    let repetitions = min(10_000, max(leastRepetitions, Int(Self.secondsOfBlock / max(once, 1e-7))))
    return try steps(repetitions) / Double(repetitions)
  }
}
