// How fast servers talk to each other, measured when a job starts; and what follows for the size and the way of messages.
import MPI
import NeuralNet
import System

/// What a message between two servers takes: `latency` and `secondsPerByte` for each of its bytes, all servers talking at
/// once (the α and β of Hockney 1994).
package struct Link: Sendable, Equatable {
  package var latency: Double
  package var secondsPerByte: Double

  package init(latency: Double, secondsPerByte: Double) {
    (self.latency, self.secondsPerByte) = (latency, secondsPerByte)
  }

  private static let floats = 65_536

  /// The first rank of every server sends to the next server's and receives from that of the one before: the slowest
  /// counts. Collective.
  /// - Parameter withRate: whether two megabytes are sent for that; else the rate is taken to be without end.
  package static func measure(
    over communicator: any Communicator, withRate: Bool = true
  ) throws(MPIError) -> Link {
    let topology = communicator.topology
    let servers = topology.serverCount
    var found = (short: 0.0, long: 0.0)
    if servers > 1, communicator.isServerLeader {
      let own = topology.serverOfRank[communicator.rank]
      let next = topology.ranksOfServer[(own + 1) % servers][0]
      let before = topology.ranksOfServer[(own + servers - 1) % servers][0]
      let memory = UnsafeMutablePointer<Float>.allocate(capacity: 2 * floats)
      defer { memory.deallocate() }
      memory.initialize(repeating: 0, count: 2 * floats)
      /// The shortest of some exchanges of a float each, or the mean of long ones: a link may carry a little at once.
      func seconds(_ count: Int, rounds: Int) throws(MPIError) -> Double {
        let exchange = try communicator.exchange([
          Exchange.Message(.send, memory, count: count, peer: next, tag: tag),
          Exchange.Message(.receive, memory + floats, count: count, peer: before, tag: tag),
        ])
        var (shortest, sum) = (Double.infinity, 0.0)
        for _ in 0..<rounds {
          let start = monotonicSeconds()
          try exchange?.start()
          try exchange?.wait()
          let taken = monotonicSeconds() - start
          shortest = min(shortest, taken)
          sum += taken
        }
        return count == 1 ? shortest : sum / Double(rounds)
      }
      found.short = try seconds(1, rounds: 10)
      found.long = withRate ? try seconds(floats, rounds: 8) : found.short
    }
    let all = UnsafeMutableBufferPointer<Double>.allocate(capacity: 2)
    defer { all.deallocate() }
    (all[0], all[1]) = found
    try communicator.allReduce(all, .maximum)
    return Link(latency: all[0], secondsPerByte: max(0, all[1] - all[0]) / Double(4 * floats))
  }

  private static let tag = 5
}

/// What a user says of messages between servers; the rest is chosen by measurement. No bit depends on it.
public struct TravelChoice: Sendable, Equatable {
  /// Bytes of gradient that travel together; nil: what takes a link about four milliseconds.
  public var bucketBytes: Int?
  /// `direct` or `rounds`; nil: what takes less time.
  public var route: Travel.Route?

  /// All is chosen.
  public init() {}

  private static let smallestBucket = 256 << 10
  private static let largestBucket = 16 << 20
  /// A link should be busy with a bucket for so long: gradients soon begin to travel, and what is done for a bucket beside
  /// them does not count.
  private static let bucketSeconds = 0.004
  /// Seconds to add up a byte of two sums that come from memory.
  private static let secondsPerAddedByte = 0.25e-9
  /// Where a byte takes so many times as long on the link as its addition, additions weigh nothing.
  private static let slowLink = 40.0

  /// Measures the link where something depends on it. Collective.
  /// - Parameter format: of what travels.
  package func chosen(
    parameterCount: Int, format: GradientFormat = .fp32, over communicator: any Communicator
  ) throws(MPIError) -> Travel {
    let servers = communicator.topology.serverCount
    let hasBuckets = bucketBytes == nil && format.byteCount * parameterCount >= 2 * Self.smallestBucket
    guard servers > 1, hasBuckets || route == nil && servers > 2 else {
      return chosen(nil, servers: servers, parameterCount: parameterCount, format: format)
    }
    let link = try Link.measure(over: communicator, withRate: hasBuckets)
    return chosen(link, servers: servers, parameterCount: parameterCount, format: format)
  }

  /// - Parameter link: as measured; nil where nothing depends on it.
  package func chosen(
    _ link: Link?, servers: Int, parameterCount: Int, format: GradientFormat = .fp32
  ) -> Travel {
    let bytes = format.byteCount * parameterCount
    var bucket = bucketBytes
    if bucket == nil, let link, link.secondsPerByte > 0 {
      let least = max(Double(Self.smallestBucket), 20 * link.latency / link.secondsPerByte)
      let wanted = max(least, Self.bucketSeconds / link.secondsPerByte, Double(bytes) / 500)
      bucket = Int(min(wanted, Double(Self.largestBucket)))
    }
    // Two buckets of which one has little would gain nothing.
    let isOne = bucket.map { bucketBytes == nil && bytes < 2 * $0 } ?? true
    let sent = isOne ? bytes : min(bytes, bucket ?? bytes)
    return Travel(
      route ?? Self.route(link, servers: servers, bytes: sent),
      bucketLength: isOne ? nil : max(1, bucket! / format.byteCount / ArenaLayout.block) * ArenaLayout.block)
  }

  /// Directly, S − 1 messages follow each other at every server, up and down; in rounds log₂ S, but between two of them
  /// what has come is added up.
  private static func route(_ link: Link?, servers: Int, bytes: Int) -> Travel.Route {
    guard let link, servers > 2 else { return .direct }
    if link.secondsPerByte > slowLink * secondsPerAddedByte { return .rounds }
    let rounds = Double(Int.bitWidth - 1 - servers.leadingZeroBitCount)
    let saved = 2 * (Double(servers - 1) - rounds) * link.latency
    return saved > Double(bytes) * secondsPerAddedByte ? .rounds : .direct
  }
}
