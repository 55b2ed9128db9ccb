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
  func update(_ part: OwnPart)
  /// The words of this server's ranks as one.
  func words() -> AgreementWords
  /// This rank has done all for a bucket.
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
  /// The same of sums in 16 bits; nil where none are.
  private let halfMemory: UnsafeMutablePointer<UInt16>?

  /// Collective over all ranks.
  /// - Parameters:
  ///   - nodeBuffers: the sums of this server's ranks.
  ///   - parameters: the arena of this server.
  ///   - steps: of them, in 16 bits; nil where all that travels are floats.
  ///   - tree: how sums are added.
  ///   - stack: scratch of `FoldProgram.stackLength` floats.
  init(
    _ plan: ReductionPlan, nodeBuffers: UnsafeMutablePointer<UnsafeMutablePointer<Float>>,
    parameters: UnsafeMutablePointer<Float>, steps: ParameterSteps?, norms: NormPlan,
    communicator: MPICommunicator, _ tree: TreeAddition, stack: UnsafeMutablePointer<Float>
  ) throws(MPIError) {
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: max(1, plan.exchangeLength))
    self.memory = memory
    let half = steps.map {
      HalfMemory(format: $0.format, sums: .allocate(capacity: max(1, plan.exchangeLength)), steps: $0.bits)
    }
    halfMemory = half?.sums
    let messages = plan.exchanges.flatMap { $0.sums + $0.updates }.map(\.messages.count).reduce(0, +)
    let pool = try communicator.exchangePool(capacity: messages)
    self.pool = pool
    var buckets: [BucketExchange] = []
    for number in plan.exchanges.indices {
      buckets.append(
        try BucketExchange(
          number, of: plan, nodeBuffers: nodeBuffers, memory: memory, half: half, parameters: parameters,
          norms: norms, pool: pool, tree, stack: stack))
    }
    self.buckets = buckets
    order = [buckets.count - 1] + (0..<buckets.count - 1)
    underway.reserveCapacity(Self.openGroups)
  }

  deinit {
    memory.deallocate()
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
