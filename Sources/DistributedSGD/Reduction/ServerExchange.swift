// The reduction's messages between servers: buckets on their way, those first that the next step needs first.
import MPI
import NeuralNet

/// What the exchange needs to know and to have done in a step; all of it on the thread that talks to other servers.
protocol NetworkWork: AnyObject {
  /// Which of the batch sizes that occur.
  var size: Int { get }
  /// Whether sums may be used for updates yet.
  var goesOn: Bool { get }
  /// Whether the gradients of a bucket are there, of all ranks of this server.
  func isSummed(_ bucket: Int) -> Bool
  /// Whether none of them reads its parameters any more.
  func isReleased(_ bucket: Int) -> Bool
  /// This server's nodes are added up.
  func didAdd()
  /// Adds up a total, and updates.
  /// - Parameter copy: the arena for new parameters, while the old ones are still read; nil: that of the old ones.
  func update(_ part: OwnPart, into copy: UnsafeMutablePointer<Float>?)
  /// The words of this server's ranks as one.
  func words() -> AgreementWords
  /// The parameters of a bucket that this rank looks after are there.
  func end(_ bucket: Int)
}

/// What one rank sends and receives in a step, as the plans of the buckets say.
final class ServerExchange {
  /// So many groups of messages of this rank are on their way at once: enough that the network has always one to go on
  /// with, and so few that one that is needed first soon has its turn.
  private static let openGroups = 3

  let buckets: [BucketExchange]
  /// In the order in which they are needed: the loss and the words, then the layers from the first on.
  private let order: [Int]
  private let pool: ExchangePool
  private var underway: [(sends: Int, bucket: Int)] = []
  private let memory: UnsafeMutablePointer<Float>
  private let waitingRoom: UnsafeMutablePointer<Float>?
  /// The same of sums in 16 bits; nil where none are.
  private let halfMemory: UnsafeMutablePointer<UInt16>?

  /// Collective over all ranks.
  /// - Parameters:
  ///   - nodeBuffers: the sums of this server's ranks.
  ///   - parameters: the arena of this server.
  ///   - steps: of them, in 16 bits; nil where all that travel are floats.
  ///   - mayBeEarly: whether new parameters may come while passes still read the old ones; where they travel as floats.
  ///   - tree: how sums are added.
  ///   - stack: scratch of `FoldProgram.stackLength` floats.
  init(
    _ plan: ReductionPlan, nodeBuffers: UnsafeMutablePointer<UnsafeMutablePointer<Float>>,
    parameters: UnsafeMutablePointer<Float>, steps: ParameterSteps?, mayBeEarly: Bool, norms: NormPlan,
    communicator: MPICommunicator, _ tree: TreeAddition, stack: UnsafeMutablePointer<Float>
  ) throws(MPIError) {
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: max(1, plan.exchangeLength))
    self.memory = memory
    let half = steps.map {
      HalfMemory(sums: .allocate(capacity: max(1, plan.exchangeLength)), steps: $0.bits)
    }
    halfMemory = half?.sums
    // As long as the arena, for the same offsets; what this rank does not look after is never touched.
    waitingRoom = mayBeEarly ? .allocate(capacity: plan.layout.length) : nil
    let messages = plan.exchanges.flatMap { $0.sums + $0.updates + (mayBeEarly ? $0.updates : []) }
    let pool = try communicator.exchangePool(capacity: messages.map(\.messages.count).reduce(0, +))
    self.pool = pool
    var buckets: [BucketExchange] = []
    for number in plan.exchanges.indices {
      // The loss and the words, in the last bucket, come when no pass reads anything any more.
      buckets.append(
        try BucketExchange(
          number, of: plan, nodeBuffers: nodeBuffers, memory: memory, half: half, parameters: parameters,
          waitingRoom: number == plan.exchanges.count - 1 ? nil : waitingRoom, norms: norms, pool: pool, tree,
          stack: stack))
    }
    self.buckets = buckets
    order = [buckets.count - 1] + (0..<buckets.count - 1)
    underway.reserveCapacity(Self.openGroups)
  }

  deinit {
    memory.deallocate()
    waitingRoom?.deallocate()
    halfMemory?.deallocate()
  }

  /// Turns to a step.
  func begin() {
    for bucket in buckets { bucket.begin() }
  }

  var isDone: Bool { buckets.allSatisfy(\.isDone) }
  /// Whether all sums are here, and nothing is on its way.
  var isSummed: Bool { buckets.allSatisfy(\.isSummed) }

  /// Does what can be done now.
  /// - Parameter waits: until a message has come or gone: where nothing else could be done.
  /// - Returns: whether there was anything.
  func advance(_ work: some NetworkWork, waits: Bool = false) throws(MPIError) -> Bool {
    var hasMoved = try pool.look(waits: waits)
    var index = 0
    while index < underway.count {
      if pool.isDone(underway[index].sends) {
        buckets[underway[index].bucket].endSends()
        underway.swapAt(index, underway.count - 1)
        underway.removeLast()
        hasMoved = true
      } else {
        index += 1
      }
    }
    for number in order {
      if try buckets[number].advance(work) { hasMoved = true }
    }
    for number in order {
      while buckets[number].hasSends, underway.count < Self.openGroups {
        if let sends = try buckets[number].startSends() { underway.append((sends, number)) }
        hasMoved = true
      }
    }
    for bucket in buckets { try bucket.startReceives() }
    return hasMoved
  }
}
