// The time of a step of any job, put together from that of a server and that of the network.
import Runs

/// Where a job runs: so many servers, each with as many ranks.
package struct JobShape: Sendable, Hashable {
  package var servers: Int
  /// Of each server.
  package var ranks: Int

  package init(servers: Int, ranks: Int) {
    self.servers = servers
    self.ranks = ranks
  }

  /// P
  package var worldSize: Int { servers * ranks }

  /// As `launch/testbed` writes it.
  package var words: String { "\(servers)x\(ranks)" }
}

/// A step that was measured on several servers.
package struct NetworkSample: Sendable, Equatable {
  package var shape: JobShape
  package var batch: Int
  package var seconds: Double

  package init(shape: JobShape, batch: Int, seconds: Double) {
    self.shape = shape
    self.batch = batch
    self.seconds = seconds
  }
}

/// All that is known of how long a step takes.
package struct CostModel: Sendable, Equatable {
  /// Of the parameters.
  package var modelBytes: Double
  /// V, where it was asked for.
  package var shards: Int?
  /// While no other server works.
  package var alone: ServerTime
  /// While all servers work; nil where there is one. Hosts that share a machine, or its slowest, show here.
  package var together: ServerTime?
  /// Ascending by their ranks; none where the network is not known.
  package var networks: [NetworkTime]
  package var networkSamples: [NetworkSample]

  package init(
    modelBytes: Double, shards: Int? = nil, alone: ServerTime, together: ServerTime? = nil,
    networks: [NetworkTime] = [], networkSamples: [NetworkSample] = []
  ) {
    self.modelBytes = modelBytes
    self.shards = shards
    self.alone = alone
    self.together = together
    self.networks = networks
    self.networkSamples = networkSamples
  }

  /// V of a job; nil where fewer were asked for than it has ranks.
  package func shardCount(_ shape: JobShape, batch: Int) -> Int? {
    guard let shards else { return defaultShardCount(ranks: shape.worldSize, globalBatch: batch) }
    return shards >= shape.worldSize ? shards : nil
  }

  /// What the rank with most to do has to do.
  package func share(_ shape: JobShape, batch: Int) -> Share? {
    shardCount(shape, batch: batch).map { Share(batch: batch, shards: $0, ranks: shape.worldSize) }
  }

  /// The network as it was measured with that many ranks a server, or the nearest number of them.
  package func network(ranks: Int) -> NetworkTime? {
    networks.last { $0.ranks <= ranks } ?? networks.first
  }

  /// Seconds of a step, and of its messages alone.
  /// - Returns: nil where the network is not known, or there are fewer shards than ranks.
  package func step(_ shape: JobShape, batch: Int) -> (seconds: Double, messages: Double)? {
    guard let share = share(shape, batch: batch) else { return nil }
    guard shape.servers > 1 else { return (alone.seconds(ranks: shape.ranks, share), 0) }
    guard let network = network(ranks: shape.ranks) else { return nil }
    let messages = network.messages(servers: shape.servers, modelBytes: modelBytes)
    if let sample = networkSamples.first(where: { $0.shape == shape && $0.batch == batch }) {
      return (sample.seconds, messages)
    }
    let arithmetic = (together ?? alone).seconds(ranks: shape.ranks, share)
    return (
      network.step(arithmetic: arithmetic, servers: shape.servers, modelBytes: modelBytes), messages
    )
  }

  /// Whether just this step was measured.
  package func isMeasured(_ shape: JobShape, batch: Int) -> Bool {
    if shape.servers > 1 { return networkSamples.contains { $0.shape == shape && $0.batch == batch } }
    return share(shape, batch: batch).map { alone.isMeasured(ranks: shape.ranks, $0) } ?? false
  }
}
