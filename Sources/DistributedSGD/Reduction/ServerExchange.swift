// The reduction's messages between servers: sums of a part go to its owner, new parameters come back.
import MPI

/// What one rank sends and receives in a step. Every rank owns one part of the arena. For each part, one
/// local rank of every other server is the owner's partner: it adds up its server's nodes over the part,
/// sends the sums to the owner, and later receives the updated part for its server.
///
/// Each byte crosses the network once in each direction, and the ranks of a server share the work.
final class ServerExchange {
  /// The part that this rank owns.
  let ownRange: Range<Int>
  /// The nodes that servers add up before anything crosses the network, server by server.
  let sourceNodes: [TreeNode]
  /// For every source node: its sum over `ownRange`, addressed as if the whole arena were there.
  let sources: UnsafeMutablePointer<UnsafeMutablePointer<Float>>

  /// A part of the arena for which this rank adds up its server's nodes.
  private struct Part {
    let range: Range<Int>
    /// A buffer for each node of this server; shape (range.count) each.
    let buffers: [UnsafeMutablePointer<Float>]
  }

  /// This rank's own part first, then those of the remote ranks whose partner it is.
  private let parts: [Part]
  /// A program for each batch size that occurs and each node of this server.
  private let programs: [[FoldProgram]]
  private let layout: ArenaLayout
  /// Of each server, where its words are over the own part.
  private let wordPlaces: UnsafeMutableBufferPointer<UnsafeMutablePointer<AgreementWords>>
  private let sums: Exchange?
  private let updates: Exchange?
  private let memory: UnsafeMutablePointer<Float>

  init(
    layout: ArenaLayout, shards: Shards, tree: ReductionTree, serverSources: [TreeNode], activeShards: [Int],
    parameters: UnsafeMutablePointer<Float>, communicator: any Communicator,
    stack: UnsafeMutablePointer<Float>
  ) throws(MPIError) {
    let topology = communicator.topology
    let rank = communicator.rank
    let ownServer = topology.serverOfRank[rank]
    func range(of rank: Int) -> Range<Int> {
      layout.ownedRange(of: rank, worldSize: topology.worldSize)
    }
    func partner(of owner: Int, on server: Int) -> Int {
      let ranks = topology.ranksOfServer[server]
      return ranks[owner % ranks.count]
    }
    let serverNodes = topology.ranksOfServer.map { ranks in
      tree.nodes(covering: Set(ranks.flatMap { Array(shards.owned(by: $0)) }))
    }
    sourceNodes = serverNodes.flatMap { $0 }
    self.layout = layout
    programs = activeShards.map { active in
      serverNodes[ownServer].map {
        FoldProgram(target: $0, sources: serverSources, active: active, stack: stack)
      }
    }
    let own = range(of: rank)
    ownRange = own
    let helped = topology.serverOfRank.indices.filter {
      topology.serverOfRank[$0] != ownServer && partner(of: $0, on: ownServer) == rank
        && !range(of: $0).isEmpty
    }

    // One allocation: a buffer for every source node over the own part, and for this server's nodes over
    // the parts of others.
    let nodeCount = serverNodes[ownServer].count
    let helpedLength = helped.reduce(0) { $0 + range(of: $1).count } * nodeCount
    memory = .allocate(capacity: max(1, own.count * sourceNodes.count + helpedLength))
    var next = memory
    sources = .allocate(capacity: sourceNodes.count)
    var parts: [Part] = []
    var sumMessages: [Exchange.Message] = []
    var updateMessages: [Exchange.Message] = []
    var place = 0
    for (server, nodes) in serverNodes.enumerated() {
      let first = next
      for _ in nodes {
        (sources + place).initialize(to: next - own.lowerBound)
        place += 1
        next += own.count
      }
      if server == ownServer {
        parts.append(Part(range: own, buffers: nodes.indices.map { first + $0 * own.count }))
      } else if !own.isEmpty {
        let peer = partner(of: rank, on: server)
        sumMessages.append(
          Exchange.Message(.receive, first, count: nodes.count * own.count, peer: peer, tag: Tag.sums))
        updateMessages.append(
          Exchange.Message(
            .send, parameters + own.lowerBound, count: own.count, peer: peer, tag: Tag.updates))
      }
    }
    for owner in helped {
      let range = range(of: owner)
      let first = next
      next += range.count * nodeCount
      parts.append(Part(range: range, buffers: (0..<nodeCount).map { first + $0 * range.count }))
      sumMessages.append(
        Exchange.Message(.send, first, count: nodeCount * range.count, peer: owner, tag: Tag.sums))
      updateMessages.append(
        Exchange.Message(
          .receive, parameters + range.lowerBound, count: range.count, peer: owner, tag: Tag.updates))
    }
    self.parts = parts
    wordPlaces = .allocate(capacity: serverNodes.count)
    let sources = sources
    for server in serverNodes.indices {
      let firstNode = serverNodes[..<server].reduce(0) { $0 + $1.count }
      (wordPlaces.baseAddress! + server).initialize(to: layout.words(of: sources[firstNode]))
    }
    sums = try communicator.exchange(sumMessages)
    updates = try communicator.exchange(updateMessages)
  }

  deinit {
    memory.deallocate()
    sources.deallocate()
    wordPlaces.deallocate()
  }

  private enum Tag {
    static let sums = 1
    static let updates = 2
  }

  /// Adds up this server's nodes over all parts that this rank serves, and exchanges them: afterwards
  /// `sources` holds every server's sums over the own part.
  /// - Parameter words: those of this server's ranks as one, which go with the part that has the words' place.
  func collect(
    _ nodeBuffers: UnsafePointer<UnsafeMutablePointer<Float>>, _ words: () -> AgreementWords, plan: Int,
    clock: PhaseClock
  ) throws(MPIError) {
    for part in parts {
      if part.range.contains(layout.words) {
        layout.words(of: part.buffers[0] - part.range.lowerBound).pointee = words()
      }
      let end = min(part.range.upperBound, layout.addedCount)
      for (node, program) in programs[plan].enumerated() where !program.isEmpty {
        var offset = part.range.lowerBound
        var destination = part.buffers[node]
        while offset < end {
          let count = min(FoldProgram.blockLength, end - offset)
          destination.update(from: program.run(nodeBuffers, offset: offset, count: count), count: count)
          destination += count
          offset += count
        }
      }
    }
    clock.mark(.reduce)
    try sums?.start()
    try sums?.wait()
    clock.mark(.wait)
  }

  /// The words of all servers as one, for the rank whose part has their place.
  func commonWords() -> AgreementWords {
    AgreementWords.combined(
      UnsafeBufferPointer(wordPlaces), party: { .server($0) }, comparesParameters: true)
  }

  /// Sends the own part's new parameters to the other servers, and takes theirs.
  func distribute(clock: PhaseClock) throws(MPIError) {
    try updates?.start()
    try updates?.wait()
    clock.mark(.wait)
  }
}
