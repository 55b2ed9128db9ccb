// Who sends what to whom between servers in a step, and where it lies: worked out before anything is allocated.
import MPI

/// What one rank adds up for others, sends and receives. Every rank owns one part of the arena. For each part, one
/// local rank of every other server is the owner's *partner*: it adds up its server's nodes over the part, sends the
/// sums to the owner, and later receives the updated part for its server.
///
/// Each byte crosses the network once in each direction, and the ranks of a server share the work.
///
/// Sums lie in memory of the rank's own:
///
///     sums of all servers' nodes over the own part | of this server's over the first part it helps with | …
package struct ExchangePlan: Sendable {
  /// A part of the arena over which this rank adds up its server's nodes.
  package struct Part: Sendable, Equatable {
    package let range: Range<Int>
    /// Where the sum of each node begins in the exchange's memory; shape (range.count) each.
    package let offsets: [Int]
  }

  /// What goes from one rank to another in every step.
  package struct Message: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
      /// The sums of these nodes, one after the other.
      case sums([TreeNode])
      case parameters
    }

    package let direction: Exchange.Direction
    package let content: Content
    /// Of the arena.
    package let range: Range<Int>
    package let peer: Int
    /// Where its first float is: in the exchange's memory, or in the arena of the parameters.
    package let offset: Int

    package var count: Int {
      switch content {
      case .sums(let nodes): nodes.count * range.count
      case .parameters: range.count
      }
    }

    package var tag: Int {
      switch content {
      case .sums: 1
      case .parameters: 2
      }
    }
  }

  /// The nodes that each server adds up before anything crosses the network.
  package let nodesOfServer: [[TreeNode]]
  package let ownServer: Int
  /// The part that this rank owns.
  package let ownRange: Range<Int>
  /// This rank's own part first, then those of the remote ranks whose partner it is.
  package let parts: [Part]
  package let sums: [Message]
  package let updates: [Message]
  /// Floats of the exchange's memory.
  package let length: Int

  init(topology: Topology, rank: Int, shards: Shards, layout: ArenaLayout, tree: ReductionTree) {
    let ownServer = topology.serverOfRank[rank]
    let own = layout.ownedRange(of: rank, worldSize: topology.worldSize)
    let nodesOfServer = topology.ranksOfServer.map { ranks in
      tree.nodes(covering: Set(ranks.flatMap { Array(shards.owned(by: $0)) }))
    }
    var parts: [Part] = []
    var sums: [Message] = []
    var updates: [Message] = []
    var end = 0
    for (server, nodes) in nodesOfServer.enumerated() {
      if server == ownServer {
        parts.append(Part(range: own, offsets: nodes.indices.map { end + $0 * own.count }))
      } else if !own.isEmpty {
        let peer = Self.partner(of: rank, among: topology.ranksOfServer[server])
        sums.append(
          Message(direction: .receive, content: .sums(nodes), range: own, peer: peer, offset: end))
        updates.append(
          Message(direction: .send, content: .parameters, range: own, peer: peer, offset: own.lowerBound))
      }
      end += nodes.count * own.count
    }
    let ownNodes = nodesOfServer[ownServer]
    for (owner, server) in topology.serverOfRank.enumerated() where server != ownServer {
      let range = layout.ownedRange(of: owner, worldSize: topology.worldSize)
      let partner = Self.partner(of: owner, among: topology.ranksOfServer[ownServer])
      guard partner == rank, !range.isEmpty else { continue }
      parts.append(Part(range: range, offsets: ownNodes.indices.map { end + $0 * range.count }))
      sums.append(
        Message(direction: .send, content: .sums(ownNodes), range: range, peer: owner, offset: end))
      updates.append(
        Message(
          direction: .receive, content: .parameters, range: range, peer: owner, offset: range.lowerBound))
      end += ownNodes.count * range.count
    }
    self.nodesOfServer = nodesOfServer
    self.ownServer = ownServer
    ownRange = own
    (self.parts, self.sums, self.updates) = (parts, sums, updates)
    length = end
  }

  private static func partner(of owner: Int, among ranks: [Int]) -> Int { ranks[owner % ranks.count] }

  /// The nodes of all servers, server by server.
  package var sourceNodes: [TreeNode] { nodesOfServer.flatMap { $0 } }
  /// Where the sum of each of `sourceNodes` over the own part begins in the exchange's memory.
  package var sourceOffsets: [Int] { sourceNodes.indices.map { $0 * ownRange.count } }
  /// For each server, which of `sourceNodes` is its first.
  package var firstSources: [Int] { nodesOfServer.starts }
}
