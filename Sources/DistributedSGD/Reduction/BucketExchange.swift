// One bucket's way between the servers: sums go to who owns a part of it, new parameters come back.
import MPI
import NeuralNet

/// What one rank does for a bucket in a step, as `ExchangePlan` says; a bit at a time, so that others can go on
/// meanwhile.
final class BucketExchange {
  /// What is sent at a time, and what has to come before anything else is done.
  private struct Round {
    /// Groups of the pool; nil where there is nothing for anybody.
    let sends: Int?
    let receives: Int?
    /// What both have where they are in 16 bits.
    let outgoing: HalfParts?
    let incoming: HalfParts?
    let additions: [Addition]
  }

  private struct Addition {
    let range: Range<Int>
    /// Addressed as if the whole arena were there.
    let target: UnsafeMutablePointer<Float>
    let sources: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
    /// For each batch size that occurs.
    let programs: [FoldProgram]
    /// Of the sources, where the range has them.
    let words: UnsafeMutableBufferPointer<UnsafeMutablePointer<AgreementWords>>?
  }

  /// What it waits for.
  private enum Stage: Equatable {
    case gradients
    case sums(Int)
    /// Until the update may begin.
    case update
    case updates(Int)
    /// Until the old parameters are no longer read.
    case release
    case sends
    case done
  }

  private let number: Int
  private let pool: ExchangePool
  private let own: [Addition]
  private let sums: [Round]
  private let updates: [Round]
  /// The same with parameters that come while the old ones are still read: they wait in an arena of their own. None where
  /// that does not occur.
  private let earlyUpdates: [Round]
  /// That arena.
  private let waitingRoom: UnsafeMutablePointer<Float>?
  private let parameters: UnsafeMutablePointer<Float>
  /// Of the arena, what this rank looks after.
  private let ranges: [Range<Int>]
  private var isEarly = false
  /// What is updated here.
  let parts: [OwnPart]
  private let layout: ArenaLayout
  private var stage = Stage.done
  /// Of all rounds' sends in their order: those that have begun, and those that could.
  private var startedSends = 0
  private var readySends = 0
  private var openSends = 0
  /// What may come now, and has yet to be let.
  private var readyReceives: Int?

  /// Collective over all ranks.
  /// - Parameter waitingRoom: an arena for parameters that come while the old ones are still read; nil: none do.
  init(
    _ number: Int, of plan: ReductionPlan, nodeBuffers: UnsafeMutablePointer<UnsafeMutablePointer<Float>>,
    memory: UnsafeMutablePointer<Float>, half: HalfMemory?, parameters: UnsafeMutablePointer<Float>,
    waitingRoom: UnsafeMutablePointer<Float>?, norms: NormPlan, pool: ExchangePool, _ tree: TreeAddition,
    stack: UnsafeMutablePointer<Float>
  ) throws(MPIError) {
    self.number = number
    self.pool = pool
    self.parameters = parameters
    self.waitingRoom = waitingRoom
    let exchange = plan.exchanges[number]
    let layout = plan.layout
    self.layout = layout
    func programs(_ target: TreeNode, _ sources: [TreeNode]) -> [FoldProgram] {
      plan.activeShards.map {
        FoldProgram(target: target, sources: sources, active: $0, tree, stack: stack)
      }
    }
    func words(
      _ range: Range<Int>, _ sources: UnsafeMutablePointer<UnsafeMutablePointer<Float>>, _ parties: [Int]
    ) -> UnsafeMutableBufferPointer<UnsafeMutablePointer<AgreementWords>>? {
      range.contains(layout.words) ? layout.words(of: sources, at: parties) : nil
    }
    own = exchange.own.map { sum in
      Addition(
        range: sum.range, target: memory + sum.base, sources: nodeBuffers,
        programs: programs(sum.node, plan.windowNodes), words: nil)
    }
    func addition(_ addition: ExchangePlan.Addition) -> Addition {
      let sources = memory.pointers(at: addition.sources.map(\.base))
      return Addition(
        range: addition.target.range, target: memory + addition.target.base, sources: sources,
        programs: programs(addition.target.node, addition.sources.map(\.node)),
        words: words(addition.target.range, sources, [0, 1]))
    }
    let half = exchange.format.isHalf ? half : nil
    func rounds(
      _ all: [ExchangePlan.Round], _ memory: UnsafeMutablePointer<Float>,
      _ bits: UnsafeMutablePointer<UInt16>?
    ) throws(MPIError) -> [Round] {
      var rounds: [Round] = []
      for round in all {
        func messages(_ direction: Exchange.Direction) -> [ExchangePlan.Message] {
          round.messages.filter { $0.direction == direction }
        }
        func group(_ direction: Exchange.Direction) throws(MPIError) -> Int? {
          try pool.add(
            messages(direction).map { message in
              bits.map { message.message(in: $0) } ?? message.message(in: memory)
            })
        }
        func parts(_ direction: Exchange.Direction) -> HalfParts? {
          bits.map { HalfParts(messages(direction), exchange.format, $0, memory) }
        }
        rounds.append(
          Round(
            sends: try group(.send), receives: try group(.receive), outgoing: parts(.send),
            incoming: parts(.receive), additions: round.additions.map(addition)))
      }
      return rounds
    }
    sums = try rounds(exchange.sums, memory, half?.sums)
    updates = try rounds(exchange.updates, parameters, half?.steps)
    if let waitingRoom {
      earlyUpdates = try rounds(exchange.updates, waitingRoom, nil)
    } else {
      earlyUpdates = []
    }
    ranges =
      exchange.totals.map(\.range)
      + exchange.updates.flatMap(\.messages).filter { $0.direction == .receive }.map(\.range)
    parts = exchange.totals.map { total in
      let sources = memory.pointers(at: total.sources.map(\.base))
      return OwnPart(
        range: total.range, firstPiece: norms.pieces(in: total.range).lowerBound, sources: sources,
        programs: programs(plan.tree.root, total.sources.map(\.node)),
        words: words(total.range, sources, total.firstSources))
    }
  }

  deinit {
    for addition in own { for program in addition.programs { program.deallocate() } }
    for addition in sums.flatMap(\.additions) {
      addition.sources.deallocate()
      addition.words?.deallocate()
      for program in addition.programs { program.deallocate() }
    }
  }

  /// Turns to a step.
  func begin() {
    // Of a bucket in which it has no part, a rank has nothing to wait for.
    stage = sums.isEmpty ? .release : .gradients
    isEarly = false
    (startedSends, readySends, openSends) = (0, 0, 0)
  }

  /// Lets a round's messages go, and its own come.
  private func makeReady(_ round: Round) {
    readyReceives = round.receives
    readySends += 1
  }

  /// Lets messages come; after what can be sent has begun. Of two servers the later one thus asks to send before it answers
  /// the earlier one, whose own answer would else wait behind all that it sends.
  func startReceives() throws(MPIError) {
    if let receives = readyReceives { try pool.start(receives) }
    readyReceives = nil
  }

  private func isDone(_ group: Int?) -> Bool { group.map(pool.isDone) ?? true }

  var isDone: Bool { stage == .done }
  /// Whether all sums are here, and all that others wanted is there.
  var isSummed: Bool {
    sums.isEmpty || stage == .update && startedSends == sums.count && openSends == 0
  }

  /// What could be sent now.
  var hasSends: Bool { startedSends < readySends }

  /// Begins the next of what could be sent; nil where there is nothing for anybody.
  func startSends() throws(MPIError) -> Int? {
    let round =
      startedSends < sums.count ? sums[startedSends] : chosenUpdates[startedSends - sums.count]
    startedSends += 1
    guard let sends = round.sends else { return nil }
    try pool.start(sends)
    openSends += 1
    return sends
  }

  func endSends() { openSends -= 1 }

  private var chosenUpdates: [Round] { isEarly ? earlyUpdates : updates }

  /// Does what can be done now, one thing at most.
  /// - Returns: whether there was anything.
  func advance(_ work: some NetworkWork) throws(MPIError) -> Bool {
    switch stage {
    case .gradients:
      guard work.isSummed(number) else { return false }
      addOwn(work)
      sums[0].outgoing?.pack()
      work.didAdd()
      makeReady(sums[0])
      stage = .sums(0)
    case .sums(let round):
      guard isDone(sums[round].receives) else { return false }
      sums[round].incoming?.unpack()
      for addition in sums[round].additions { add(addition, size: work.size) }
      let next = round + 1
      if next < sums.count {
        sums[next].outgoing?.pack()
        makeReady(sums[next])
      }
      stage = next < sums.count ? .sums(next) : .update
    case .update:
      guard work.goesOn else { return false }
      isEarly = !work.isReleased(number)
      if isEarly, waitingRoom == nil { return false }
      for part in parts { work.update(part, into: isEarly ? waitingRoom : nil) }
      makeReady(chosenUpdates[0])
      stage = .updates(0)
    case .updates(let round):
      guard isDone(chosenUpdates[round].receives) else { return false }
      chosenUpdates[round].incoming?.follow()
      let next = round + 1
      if next < updates.count { makeReady(chosenUpdates[next]) }
      stage = next < updates.count ? .updates(next) : .release
    case .release:
      if isEarly, let waitingRoom {
        guard work.isReleased(number) else { return false }
        for range in ranges {
          (parameters + range.lowerBound).update(from: waitingRoom + range.lowerBound, count: range.count)
        }
      }
      work.end(number)
      stage = .sends
    case .sends:
      guard startedSends == readySends, openSends == 0 else { return false }
      stage = .done
    case .done: return false
    }
    return true
  }

  /// This server's nodes, from what its ranks have left.
  private func addOwn(_ work: some NetworkWork) {
    for (index, sum) in own.enumerated() {
      add(sum, size: work.size)
      // A server's words go with its first node.
      if sum.range.contains(layout.words), own.firstIndex(where: { $0.range == sum.range }) == index {
        layout.words(of: sum.target).pointee = work.words()
      }
    }
  }

  private func add(_ addition: Addition, size: Int) {
    let program = addition.programs[size]
    if !program.isEmpty {
      let end = min(addition.range.upperBound, layout.addedCount)
      var offset = addition.range.lowerBound
      while offset < end {
        let count = min(FoldProgram.blockLength, end - offset)
        let sum = program.run(addition.sources, offset: offset, count: count)
        if sum != UnsafePointer(addition.target + offset) {
          (addition.target + offset).update(from: sum, count: count)
        }
        offset += count
      }
    }
    guard let words = addition.words else { return }
    layout.words(of: addition.target).pointee = AgreementWords.combined(ofServers: words)
  }
}

/// A part of the arena that this rank adds up and updates.
final class OwnPart {
  let range: Range<Int>
  /// Of the norms' pieces.
  let firstPiece: Int
  /// Sums of nodes, addressed as if the whole arena were there; nil: those of this server's ranks.
  let sources: UnsafeMutablePointer<UnsafeMutablePointer<Float>>?
  /// How the total is added up from them, for each batch size that occurs.
  let programs: [FoldProgram]
  /// Of each server, where the part has them.
  let words: UnsafeMutableBufferPointer<UnsafeMutablePointer<AgreementWords>>?

  init(
    range: Range<Int>, firstPiece: Int, sources: UnsafeMutablePointer<UnsafeMutablePointer<Float>>?,
    programs: [FoldProgram], words: UnsafeMutableBufferPointer<UnsafeMutablePointer<AgreementWords>>?
  ) {
    (self.range, self.firstPiece, self.sources) = (range, firstPiece, sources)
    (self.programs, self.words) = (programs, words)
  }

  deinit {
    sources?.deallocate()
    words?.deallocate()
    for program in programs { program.deallocate() }
  }
}

extension ExchangePlan.Message {
  /// - Parameter memory: what the offset counts from.
  fileprivate func message(in memory: UnsafeMutablePointer<some MPIScalar>) -> Exchange.Message {
    Exchange.Message(direction, memory + offset, count: count, peer: peer, tag: tag)
  }
}
