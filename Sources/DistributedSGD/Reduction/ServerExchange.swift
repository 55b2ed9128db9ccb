// The reduction's messages between servers: sums of a part go to its owner, new parameters come back.
import MPI

/// What one rank sends and receives in a step, as `ExchangePlan` says.
final class ServerExchange {
  /// For every source node: its sum over the part that this rank owns, addressed as if the whole arena were there.
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

  /// Collective over all ranks.
  /// - Parameters:
  ///   - parameters: the arena of this server.
  ///   - stack: scratch of `FoldProgram.stackLength` floats.
  init(
    _ exchange: ExchangePlan, of plan: ReductionPlan, parameters: UnsafeMutablePointer<Float>,
    communicator: any Communicator, stack: UnsafeMutablePointer<Float>
  ) throws(MPIError) {
    layout = plan.layout
    programs = plan.activeShards.map { active in
      exchange.nodesOfServer[exchange.ownServer].map {
        FoldProgram(target: $0, sources: plan.windowNodes, active: active, stack: stack)
      }
    }
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: max(1, exchange.length))
    self.memory = memory
    let ownStart = exchange.ownRange.lowerBound
    sources = memory.pointers(at: exchange.sourceOffsets.map { $0 - ownStart })
    parts = exchange.parts.map { part in
      Part(range: part.range, buffers: part.offsets.map { memory + $0 })
    }
    wordPlaces = layout.words(of: sources, at: exchange.firstSources)
    sums = try communicator.exchange(exchange.sums.map { $0.message(in: memory) })
    updates = try communicator.exchange(exchange.updates.map { $0.message(in: parameters) })
  }

  deinit {
    memory.deallocate()
    sources.deallocate()
    wordPlaces.deallocate()
    for program in programs.joined() { program.deallocate() }
  }

  /// Adds up this server's nodes over all parts that this rank serves, and exchanges them: afterwards
  /// `sources` holds every server's sums over the own part.
  /// - Parameters:
  ///   - words: those of this server's ranks as one, which go with the part that has the words' place.
  ///   - size: which of the batch sizes that occur.
  func collect(
    _ nodeBuffers: UnsafePointer<UnsafeMutablePointer<Float>>, _ words: () -> AgreementWords, size: Int,
    clock: PhaseClock
  ) throws(MPIError) {
    for part in parts {
      if part.range.contains(layout.words) {
        layout.words(of: part.buffers[0] - part.range.lowerBound).pointee = words()
      }
      let end = min(part.range.upperBound, layout.addedCount)
      for (node, program) in programs[size].enumerated() where !program.isEmpty {
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
    clock.markMessages(isFirst: true)
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
    clock.markMessages(isFirst: false)
  }
}

extension ExchangePlan.Message {
  /// - Parameter memory: what the offset counts from.
  fileprivate func message(in memory: UnsafeMutablePointer<Float>) -> Exchange.Message {
    Exchange.Message(direction, memory + offset, count: count, peer: peer, tag: tag)
  }
}
