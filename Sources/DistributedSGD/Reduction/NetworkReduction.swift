// The reduction between servers: the same tree goes on over the network. Each server's sums of a part go to the rank that
// owns it, which finishes the additions, updates, and has the new parameters go to all other servers.
import MPI
import NeuralNet
import System

/// What goes on between servers in a step.
///
/// Where passes tell how far they are, a thread of its own carries the arena bucket by bucket: gradients while earlier
/// layers are still in their backward pass, new parameters while later gradients still travel, and those of the last
/// layers while the next step is in the forward pass of the first. The order of the additions is the tree's, whatever
/// comes first.
final class NetworkReduction {
  /// How the ranks of this server met last in a step.
  var opening = ServerBarrier.Opening(last: 0, ticks: 0, isOwn: false, delay: 0)
  var clockOffset = ClockOffset()
  let exchange: ServerExchange
  private var overlap: Overlap?
  private let rank: Int
  private let communicator: any Communicator
  private let layout: ArenaLayout
  private let isInRounds: Bool
  /// Whoever has this, and outlives its thread.
  private unowned(unsafe) let reduction: GradientReduction
  /// Of the step whose messages travel.
  private var work = StepWork()
  private(set) var goesOn = true
  /// Of a step whose messages the rank's own thread sends.
  private var clock: PhaseClock?
  private var hasWaited = false
  /// Whether the thread has yet to turn to a step.
  private var isNew = false

  /// Where messages travel while the passes compute.
  private struct Overlap {
    let courier: Courier
    let gates: BucketGates
    let passes: PassProgress
  }

  /// Collective over all ranks.
  /// - Parameter overlaps: whether the passes tell how far they are.
  init(
    _ exchange: ServerExchange, _ plan: ReductionPlan, of reduction: GradientReduction, overlaps: Bool,
    hasOwnCores: Bool, communicator: any Communicator
  ) throws(MPIError) {
    self.exchange = exchange
    self.communicator = communicator
    self.reduction = reduction
    rank = communicator.rank
    layout = plan.layout
    isInRounds = plan.route == .rounds
    let patience = ServerBarrier.patience(hasOwnCores: hasOwnCores)
    guard overlaps, plan.buckets.count > 1, let mpi = communicator as? MPICommunicator else { return }
    let gates = BucketGates(
      memory: try communicator.allocateShared(byteCount: BucketGates.byteCount(buckets: plan.buckets.count)),
      buckets: plan.buckets, rankCount: plan.serverRanks.count, spins: patience.spins)
    let courier = Courier()
    // All ranks of a job have the same library, and so the same answer.
    guard mpi.add(courier) else { return }
    // Both live no longer than this.
    unowned(unsafe) let network = self
    overlap = Overlap(
      courier: courier, gates: gates,
      passes: PassProgress(gates, courier, layout, reduction.addition) { () throws(MPIError) in
        try network.beginCarrying()
      })
    guard courier.begin({ () throws(MPIError) in try network.carry() }) else {
      throw MPIError(call: "pthread_create", code: 0, message: "the system has no thread for messages")
    }
  }

  /// Ends its thread.
  func end() {
    guard let overlap else { return }
    try? overlap.courier.finish()
    overlap.courier.end()
    (communicator as? MPICommunicator)?.remove(overlap.courier)
  }

  var passes: PassProgress? { overlap?.passes }

  /// Whether the rank's own thread updates, when all sums are there.
  private var isStaged: Bool { reduction.update.isStaged }

  // MARK: A step

  /// The first gradients of a step are about to come.
  private func beginCarrying() throws(MPIError) {
    guard let overlap else { return }
    try overlap.courier.finish()
    // A rank that has no examples in this step has not waited for parameters; others may still count those of the last one.
    overlap.gates.awaitArrival(upTo: layout.length) { overlap.courier.hasFailed }
    overlap.gates.begin()
    turn()
    isNew = true
    overlap.courier.start()
  }

  /// Returns when all ranks know the loss and each other's words, and the first parameters that are needed next.
  func run(_ clock: PhaseClock) throws(MPIError) {
    if let overlap {
      try run(overlap, clock)
    } else {
      try runAlone(clock)
    }
    if !isStaged, work.measured != .none { try reduction.shareGradientNorms(clock) }
    try nameSuspect()
    let last = reduction.commonWords.pointee.last
    clock.depart(last: last, arrival: last.arrival + clockOffset.nanoseconds)
  }

  private func run(_ overlap: Overlap, _ clock: PhaseClock) throws(MPIError) {
    let (courier, gates) = (overlap.courier, overlap.gates)
    let arrived = clock.arrive()
    reduction.ownWords.pointee.last = ownArrival(ticks: arrived, clock)
    reduction.board.arrive()
    try overlap.passes.end()
    if isStaged {
      try reduction.board.waits { () throws(MPIError) in
        try courier.finish()
        gates.awaitRelease { courier.hasFailed }
      }
      clock.markMessages(isFirst: true)
      try reduction.foldThenUpdate(clock)
      goesOn = true
      courier.start()
    }
    reduction.board.waits { courier.awaited { gates.awaitTail { courier.hasFailed } } }
    if courier.hasFailed { try courier.finish() }
    clock.markMessages(isFirst: !isStaged)
  }

  /// On this thread alone, after the passes.
  private func runAlone(_ clock: PhaseClock) throws(MPIError) {
    reduction.meet(clock, isStep: true)
    reduction.board.arrive()
    (self.clock, hasWaited) = (clock, false)
    defer { self.clock = nil }
    turn()
    exchange.begin()
    try reduction.board.waits { () throws(MPIError) in
      var hasMoved = true
      if isStaged {
        while !exchange.isSummed { hasMoved = try exchange.advance(self, waits: !hasMoved) }
        markFirstWait()
        try reduction.foldThenUpdate(clock)
        (goesOn, hasMoved) = (true, true)
      }
      while !exchange.isDone { hasMoved = try exchange.advance(self, waits: !hasMoved) }
    }
    markFirstWait()
    clock.markMessages(isFirst: false)
    reduction.meet(clock)
  }

  /// To the step that the reduction is at.
  private func turn() {
    work = reduction.work
    goesOn = !isStaged
  }

  private func markFirstWait() {
    guard let clock, !hasWaited else { return }
    clock.markMessages(isFirst: true)
    hasWaited = true
  }

  /// On the thread of its own: does what can be done; nil where all is done.
  private func carry() throws(MPIError) -> Bool? {
    if isNew { exchange.begin() }
    isNew = false
    if try exchange.advance(self) { return true }
    return (goesOn ? exchange.isDone : exchange.isSummed) ? nil : false
  }

  /// Returns when the parameters are all there, on this server.
  func settle() {
    guard let overlap else { return }
    try? overlap.courier.finish()
    overlap.gates.awaitArrival(upTo: layout.length) { overlap.courier.hasFailed }
  }

  /// In rounds words meet two at a time: that a server differs is known by then, and is rare enough to ask all which.
  /// Collective.
  private func nameSuspect() throws(MPIError) {
    guard isInRounds, case .server = reduction.suspect?.party else { return }
    let own = reduction.ownWords.pointee
    let (schedules, parameters) = (
      try communicator.numbers(own.schedule), try communicator.numbers(own.parameters)
    )
    let leaders = communicator.topology.ranksOfServer.map { $0[0] }
    if let suspect = Suspect(amongSchedules: leaders.map { schedules[$0] }, leaders.map { parameters[$0] }) {
      reduction.commonWords.pointee.suspect = suspect
    }
  }

  // MARK: Who came last

  /// Alone on its server, a rank keeps nobody there waiting; others, by all that it comes later than they.
  func meet(alone clock: PhaseClock, isStep: Bool) {
    if isStep { opening = .init(last: 0, ticks: clock.arrive(), isOwn: true, delay: .max) }
  }

  private func ownArrival(ticks: UInt64, _ clock: PhaseClock) -> LastRank {
    LastRank(rank: rank, arrival: time(ofTicks: ticks, clock), delay: .max)
  }

  /// By rank 0's clock, in nanoseconds.
  private func time(ofTicks ticks: UInt64, _ clock: PhaseClock) -> Int {
    Int(monotonicNanoseconds()) - clockOffset.nanoseconds
      - Int(Double(Ticks.now &- ticks) * 1e9 * clock.secondsPerTick)
  }
}

extension NetworkReduction: NetworkWork {
  var size: Int { work.size }

  func isSummed(_ bucket: Int) -> Bool { overlap?.gates.isSummed(bucket) ?? true }

  func isReleased(_ bucket: Int) -> Bool { overlap?.gates.isReleased(bucket) ?? true }

  func didAdd() { clock?.mark(.reduce) }

  func update(_ part: OwnPart, into copy: UnsafeMutablePointer<Float>?) {
    if let words = part.words {
      reduction.commonWords.pointee = AgreementWords.combined(ofServers: words)
    }
    guard !isStaged, let sources = part.sources else { return }
    markFirstWait()
    reduction.foldAndUpdate(part, sources, work, into: copy, clock)
  }

  /// The words of this server's ranks as one; other servers want to know when its ranks have met.
  func words() -> AgreementWords {
    var words = reduction.serverWords()
    if let clock {
      let scale = 1e9 * clock.secondsPerTick
      words.last = LastRank(
        rank: reduction.serverRanks[opening.last], arrival: time(ofTicks: opening.ticks, clock),
        delay: opening.delay == .max ? .max : Int(Double(opening.delay) * scale))
    }
    return words
  }

  func end(_ bucket: Int) { overlap?.gates.end(bucket) }
}
