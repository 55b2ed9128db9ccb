// Who sends what to whom between servers in a step, and where it lies: worked out before anything is allocated.
import MPI
import NeuralNet

/// What one rank adds up, sends and receives for one bucket of the arena. Every part of it has an owner, who adds up the
/// total and updates. For each lane (`Lane`), one rank of every server adds up its server's nodes, and
///
/// - directly: sends those of every other server's part to its owner, who later sends the updated part back;
/// - in rounds: exchanges halves with one other server after the other, sums on the way up, parameters on the way down.
///
/// Either way 2 (S − 1)/S of the bucket leave every server, where each has one node. Sums lie in memory of the rank's own,
/// those of a bucket one after the other.
package struct ExchangePlan: Sendable {
  /// The sum of a node over a range: where its first float lies in the exchange's memory.
  package struct Sum: Sendable, Equatable {
    package let node: TreeNode
    package let range: Range<Int>
    package let offset: Int
    /// The same as if the whole arena were there.
    package var base: Int { offset - range.lowerBound }
  }

  /// Adds up a node's sum from others over the same range.
  package struct Addition: Sendable, Equatable {
    package let target: Sum
    package let sources: [Sum]
  }

  /// What this rank owns: the total of a range, to be added up from these.
  package struct Total: Sendable, Equatable {
    package let range: Range<Int>
    package let sources: [Sum]
    /// Which of them is the first of each server, where all have sent theirs.
    package let firstSources: [Int]
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
    package let tag: Int

    package var count: Int {
      switch content {
      case .sums(let nodes): nodes.count * range.count
      case .parameters: range.count
      }
    }
  }

  /// Messages that can go at the same time, and what is added up when they have come.
  package struct Round: Sendable, Equatable {
    package var messages: [Message] = []
    package var additions: [Addition] = []
  }

  /// Of the arena.
  package let bucket: Range<Int>
  /// In what its sums travel, and the changes of its parameters; floats: the parameters themselves.
  package let format: GradientFormat
  /// This server's nodes over what this rank works on: added up from the gradients of the server's ranks.
  package private(set) var own: [Sum] = []
  package private(set) var sums: [Round] = []
  package private(set) var totals: [Total] = []
  package private(set) var updates: [Round] = []
  /// Floats of the exchange's memory up to the end of this bucket.
  package private(set) var end: Int

  private let rank: Int
  private let ownServer: Int
  private let number: Int

  /// - Parameters:
  ///   - number: of the bucket.
  ///   - start: where its sums begin in the exchange's memory.
  init(
    bucket: Range<Int>, number: Int, rank: Int, server: Int, routes: ServerRoutes, format: GradientFormat,
    start: Int
  ) {
    self.bucket = bucket
    self.format = format
    self.number = number
    self.rank = rank
    ownServer = server
    end = start
    for (index, lane) in routes.lanes(of: bucket).enumerated() where lane.ranks[server] == rank {
      switch routes.route {
      case .direct: addDirect(lane, index, routes)
      case .rounds: addRounds(lane, index, routes)
      }
    }
  }

  private mutating func reserve(_ node: TreeNode, _ range: Range<Int>) -> Sum {
    defer { end += range.count }
    return Sum(node: node, range: range, offset: end)
  }

  /// Of the messages between two ranks each has its own number, the same at both ends.
  private func tag(lane: Int, round: Int, ofSums: Bool) -> Int {
    (((number + 1) << 10 | lane) << 6 | round) << 1 | (ofSums ? 0 : 1)
  }

  private mutating func addDirect(_ lane: Lane, _ index: Int, _ routes: ServerRoutes) {
    let nodes = routes.nodesOfServer
    if sums.isEmpty { (sums, updates) = ([Round()], [Round()]) }
    let tags = (tag(lane: index, round: 0, ofSums: true), tag(lane: index, round: 0, ofSums: false))
    for (range, owner) in routes.parts(of: lane) {
      if owner == ownServer {
        var sources: [Sum] = []
        for (server, nodes) in nodes.enumerated() {
          let first = end
          let theirs = nodes.map { reserve($0, range) }
          sources += theirs
          if server == ownServer {
            own += theirs
          } else {
            let peer = lane.ranks[server]
            sums[0].messages.append(
              Message(
                direction: .receive, content: .sums(nodes), range: range, peer: peer, offset: first,
                tag: tags.0))
            updates[0].messages.append(
              Message(
                direction: .send, content: .parameters, range: range, peer: peer, offset: range.lowerBound,
                tag: tags.1))
          }
        }
        totals.append(Total(range: range, sources: sources, firstSources: nodes.starts))
      } else {
        let first = end
        own += nodes[ownServer].map { reserve($0, range) }
        sums[0].messages.append(
          Message(
            direction: .send, content: .sums(nodes[ownServer]), range: range, peer: lane.ranks[owner],
            offset: first, tag: tags.0))
        updates[0].messages.append(
          Message(
            direction: .receive, content: .parameters, range: range, peer: lane.ranks[owner],
            offset: range.lowerBound, tag: tags.1))
      }
    }
  }

  private mutating func addRounds(_ lane: Lane, _ index: Int, _ routes: ServerRoutes) {
    let crossings = routes.crossings(of: lane).filter {
      $0.servers.left == ownServer || $0.servers.right == ownServer
    }
    if sums.isEmpty {
      sums = Array(repeating: Round(), count: crossings.count)
      updates = sums
    }
    var kept = reserve(routes.nodesOfServer[ownServer][0], lane.range)
    own.append(kept)
    for crossing in crossings {
      let isLeft = crossing.servers.left == ownServer
      let peer = lane.ranks[isLeft ? crossing.servers.right : crossing.servers.left]
      let halves = [
        crossing.range.lowerBound..<crossing.cut, crossing.cut..<crossing.range.upperBound,
      ]
      let (keeps, gives) = isLeft ? (halves[0], halves[1]) : (halves[1], halves[0])
      let mine = Sum(
        node: kept.node, range: keeps, offset: kept.base + keeps.lowerBound)
      let theirs = reserve(isLeft ? crossing.halves.right : crossing.halves.left, keeps)
      let (up, down) = (
        tag(lane: index, round: crossing.round, ofSums: true),
        tag(lane: index, round: crossing.round, ofSums: false)
      )
      let round = crossing.round
      if !gives.isEmpty {
        sums[round].messages.append(
          Message(
            direction: .send, content: .sums([kept.node]), range: gives, peer: peer,
            offset: kept.base + gives.lowerBound, tag: up))
        updates[crossings.count - 1 - round].messages.append(
          Message(
            direction: .receive, content: .parameters, range: gives, peer: peer, offset: gives.lowerBound,
            tag: down))
      }
      let sources = isLeft ? [mine, theirs] : [theirs, mine]
      kept = Sum(node: crossing.node, range: keeps, offset: mine.offset)
      guard !keeps.isEmpty else { continue }
      sums[round].messages.append(
        Message(
          direction: .receive, content: .sums([theirs.node]), range: keeps, peer: peer,
          offset: theirs.offset, tag: up))
      updates[crossings.count - 1 - round].messages.append(
        Message(
          direction: .send, content: .parameters, range: keeps, peer: peer, offset: keeps.lowerBound,
          tag: down))
      if round == crossings.count - 1 {
        totals.append(Total(range: keeps, sources: sources, firstSources: [0, 1]))
      } else {
        sums[round].additions.append(Addition(target: kept, sources: sources))
      }
    }
  }
}
