// By which way the sums of a bucket come together between servers: whom each rank works with, and who owns what in the end.
import MPI

/// A part of a bucket that one rank of every server works on: the ranks of a server share its messages.
package struct Lane: Sendable, Equatable {
  package let index: Int
  package let range: Range<Int>
  /// Shape (servers): who works on it.
  package let ranks: [Int]
}

/// The servers' side of the tree.
package struct ServerRoutes: Sendable {
  /// Of two servers, each has what the other needs: the sums of a node's halves, over the same range.
  package struct Crossing: Sendable, Equatable {
    /// From 0: all of a round are done before any of the next.
    package let round: Int
    package let node: TreeNode
    package let range: Range<Int>
    /// Who has the sum of the left half, and who that of the right.
    package let servers: (left: Int, right: Int)
    package let halves: (left: TreeNode, right: TreeNode)
    /// The left server goes on with what comes before, the right one with the rest.
    package let cut: Int

    package static func == (a: Crossing, b: Crossing) -> Bool {
      a.round == b.round && a.node == b.node && a.range == b.range && a.servers == b.servers
        && a.halves == b.halves && a.cut == b.cut
    }
  }

  private let topology: Topology
  private let layout: ArenaLayout
  private let tree: ReductionTree
  /// The nodes that each server adds up before anything crosses the network.
  package let nodesOfServer: [[TreeNode]]
  package let route: Travel.Route
  /// Where rounds are had.
  private let serverOfNode: [TreeNode: Int]

  /// - Parameter route: what is wanted; rounds are to be had where every server has one node, all of the same size.
  init(topology: Topology, shards: Shards, layout: ArenaLayout, tree: ReductionTree, route: Travel.Route) {
    self.topology = topology
    self.layout = layout
    self.tree = tree
    let nodesOfServer = topology.ranksOfServer.map { ranks in
      tree.nodes(covering: Set(ranks.flatMap { Array(shards.owned(by: $0)) }))
    }
    self.nodesOfServer = nodesOfServer
    self.route = Self.haveRounds(nodesOfServer) ? route : .direct
    serverOfNode = Dictionary(uniqueKeysWithValues: nodesOfServer.enumerated().map { ($1[0], $0) })
  }

  /// Whether log₂ S rounds add up what these servers have, in the tree's order.
  package static func haveRounds(_ nodesOfServer: [[TreeNode]]) -> Bool {
    let count = nodesOfServer.count
    return count & (count - 1) == 0
      && nodesOfServer.allSatisfy { $0.count == 1 && $0[0].level == nodesOfServer[0][0].level }
  }

  var serverCount: Int { topology.serverCount }

  /// The lanes of a bucket: as many as the largest server has ranks.
  package func lanes(of bucket: Range<Int>) -> [Lane] {
    let count = topology.ranksOfServer.map(\.count).max() ?? 1
    return (0..<count).compactMap { lane in
      let range = layout.blocks(lane, of: count, in: bucket)
      return range.isEmpty
        ? nil : Lane(index: lane, range: range, ranks: topology.ranksOfServer.map { $0[lane % $0.count] })
    }
  }

  /// The parts of a lane that its ranks own in the end: they add up the total there, and update.
  package func parts(of lane: Lane) -> [(range: Range<Int>, server: Int)] {
    let parts =
      route == .rounds
      ? halved(lane.range).owned
      : (0..<serverCount).map { part in
        // Of few blocks not all are one server's.
        (layout.blocks(part, of: serverCount, in: lane.range), (part + lane.index) % serverCount)
      }
    return parts.filter { !$0.range.isEmpty }
  }

  /// What the servers tell each other in rounds, in order.
  package func crossings(of lane: Lane) -> [Crossing] { halved(lane.range).crossings }

  private func halved(
    _ range: Range<Int>
  ) -> (crossings: [Crossing], owned: [(range: Range<Int>, server: Int)]) {
    var crossings: [Crossing] = []
    /// The servers that have the sum of a node, each over a part of the range.
    func visit(_ node: TreeNode) -> [(range: Range<Int>, server: Int)] {
      if let server = serverOfNode[node] { return [(range, server)] }
      let (left, right) = (visit(node.left), visit(node.right))
      return zip(left, right).flatMap { left, right -> [(range: Range<Int>, server: Int)] in
        let kept = layout.blocks(0, of: 2, in: left.range)
        crossings.append(
          Crossing(
            round: node.level - 1 - nodesOfServer[0][0].level, node: node, range: left.range,
            servers: (left.server, right.server), halves: (node.left, node.right), cut: kept.upperBound))
        return [(kept, left.server), (kept.upperBound..<left.range.upperBound, right.server)]
      }
    }
    let owned = visit(tree.root)
    return (crossings.sorted { $0.round < $1.round }, owned)
  }

  /// Who updates what of some buckets, in the arena's order.
  package func owners(of buckets: [Range<Int>]) -> [(range: Range<Int>, rank: Int)] {
    buckets.flatMap { bucket in
      lanes(of: bucket).flatMap { lane in parts(of: lane).map { ($0.range, lane.ranks[$0.server]) } }
    }.sorted { $0.range.lowerBound < $1.range.lowerBound }
  }
}
