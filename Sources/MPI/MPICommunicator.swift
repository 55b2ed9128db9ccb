// The ranks of an MPI job: owns MPI_Init and MPI_Finalize, and every shared window.
import CMPI
import Glibc

/// Who talks to MPI on a thread of its own.
package protocol BackgroundTalker: AnyObject {
  /// Returns when it has said what it had to; it says no more before it is told to.
  /// - Throws: what it has met with.
  func finish() throws(MPIError)
}

/// The ranks that a launcher has started, over Open MPI. It belongs to the thread that made it; a process makes one, and
/// ends it by `finalize`.
public final class MPICommunicator: Communicator {
  public let rank: Int
  public let worldSize: Int
  public let topology: Topology
  public let board: RankBoard
  private let world: MPI_Comm?
  /// The ranks of this server.
  private let server: MPI_Comm?
  private var windows: [MPI_Win?]
  /// Whether it is all ranks of the job, and not a part of them.
  private let isWhole: Bool

  /// Whether threads may talk in turn.
  private let threadsTakeTurns: Bool
  /// Who talks on a thread of its own, while this one does something else.
  private var talkers: [any BackgroundTalker] = []

  /// Starts MPI (MPI 3.1, section 12.4.3: `MPI_THREAD_SERIALIZED`, one thread talks at a time) and finds who shares
  /// memory with whom (section 6.4.2: `MPI_COMM_TYPE_SHARED`).
  public init() throws(MPIError) {
    TCPSettings.set()
    var provided: Int32 = 0
    try check(MPI_Init_thread(nil, nil, Int32(MPI_THREAD_SERIALIZED), &provided), "MPI_Init_thread")
    threadsTakeTurns = provided >= Int32(MPI_THREAD_SERIALIZED)
    guard provided >= Int32(MPI_THREAD_FUNNELED) else {
      throw MPIError(
        call: "MPI_Init_thread", code: provided, message: "this MPI does not offer MPI_THREAD_FUNNELED")
    }
    isWhole = true
    world = cmpi_comm_world()
    (rank, worldSize, server) = try Self.place(in: world)
    topology = try Self.findTopology(world: world, server: server, rank: rank, worldSize: worldSize)
    let ranks = topology.ranksOfServer[topology.serverOfRank[rank]]
    var window: MPI_Win?
    let memory = try Self.allocateShared(
      byteCount: RankBoard.byteCount(ranks: ranks.count), ranks: ranks, rank: rank, server: server,
      window: &window)
    windows = [window]
    board = RankBoard(memory: memory, localRank: topology.localRank(of: rank), rankCount: ranks.count)
    // Nobody reads a line before its rank has written it.
    try check(MPI_Barrier(server), "MPI_Barrier")
  }

  /// Which rank of `world` this is, of how many, and those that it shares memory with. Errors of both are returned from
  /// now on. Collective.
  private static func place(in world: MPI_Comm?) throws(MPIError) -> (Int, Int, MPI_Comm?) {
    try check(MPI_Comm_set_errhandler(world, cmpi_errors_return()), "MPI_Comm_set_errhandler")
    var (rank, worldSize): (Int32, Int32) = (0, 0)
    try check(MPI_Comm_rank(world, &rank), "MPI_Comm_rank")
    try check(MPI_Comm_size(world, &worldSize), "MPI_Comm_size")
    var server: MPI_Comm?
    try check(
      MPI_Comm_split_type(world, Int32(MPI_COMM_TYPE_SHARED), rank, cmpi_info_null(), &server),
      "MPI_Comm_split_type")
    try check(MPI_Comm_set_errhandler(server, cmpi_errors_return()), "MPI_Comm_set_errhandler")
    return (Int(rank), Int(worldSize), server)
  }

  /// The ranks of `whole` that give the same `group`, from 1 up, in their order; each group talks by itself. What the
  /// ranks of a server show each other stays in one place for all of them. Collective over `whole`, which must live
  /// longer.
  package init(_ group: Int, of whole: MPICommunicator) throws(MPIError) {
    isWhole = false
    threadsTakeTurns = whole.threadsTakeTurns
    var world: MPI_Comm?
    try whole.silence()
    // MPI 3.1, section 6.4.2.
    try check(MPI_Comm_split(whole.world, Int32(group), Int32(whole.rank), &world), "MPI_Comm_split")
    self.world = world
    (rank, worldSize, server) = try Self.place(in: world)
    topology = try Self.findTopology(world: world, server: server, rank: rank, worldSize: worldSize)
    board = whole.board
    board.group = group
    windows = []
  }

  /// Every rank tells its server's lowest rank to all, and those tell their host names.
  private static func findTopology(
    world: MPI_Comm?, server: MPI_Comm?, rank: Int, worldSize: Int
  ) throws(MPIError) -> Topology {
    var leader = rank
    try check(MPI_Bcast(&leader, 1, Int.datatype, 0, server), "MPI_Bcast")
    var leaders = [Int](repeating: 0, count: worldSize)
    try check(
      MPI_Allgather(&leader, 1, Int.datatype, &leaders, 1, Int.datatype, world), "MPI_Allgather")
    let leaderRanks = Set(leaders).sorted()
    let serverOfLeader = Dictionary(
      uniqueKeysWithValues: leaderRanks.enumerated().map { ($0.element, $0.offset) })
    // A name, of at most 255 bytes, is told by one rank; the others leave its words empty.
    let nameWords = 32
    var names = [UInt64](repeating: 0, count: nameWords * leaderRanks.count)
    if leader == rank {
      let start = 8 * nameWords * serverOfLeader[leader]!
      names.withUnsafeMutableBytes { bytes in
        for (index, byte) in hostName().utf8.prefix(255).enumerated() { bytes[start + index] = byte }
      }
    }
    try check(
      MPI_Allreduce(
        cmpi_in_place(), &names, Int32(names.count), UInt64.datatype, ReduceOperation.maximum.handle, world),
      "MPI_Allreduce")
    return Topology(
      serverOfRank: leaders.map { serverOfLeader[$0]! },
      hosts: leaderRanks.indices.map { server in
        names[nameWords * server..<nameWords * (server + 1)].withUnsafeBytes { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
      })
  }

  public func barrier() throws(MPIError) {
    try silence()
    board.arrive()
    try check(board.waits { MPI_Barrier(world) }, "MPI_Barrier")
  }

  /// Looks now and then whether all have come (MPI 3.1, section 5.12.1); a wait of MPI's own would take a core.
  public func sleepingBarrier() throws(MPIError) {
    try silence()
    board.arrive()
    var request = cmpi_request_null()
    try check(MPI_Ibarrier(world, &request), "MPI_Ibarrier")
    var hasEnded: Int32 = 0
    var microseconds: UInt32 = 20
    while true {
      try check(MPI_Test(&request, &hasEnded, cmpi_status_ignore()), "MPI_Test")
      if hasEnded != 0 { return }
      usleep(microseconds)
      microseconds = min(2 * microseconds, 1000)
    }
  }

  public func broadcast<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, from root: Int
  ) throws(MPIError) {
    try silence()
    board.arrive()
    try inPieces(buffer.count) { (start, count) throws(MPIError) in
      try check(
        board.waits { MPI_Bcast(buffer.baseAddress! + start, count, Scalar.datatype, Int32(root), world) },
        "MPI_Bcast")
    }
  }

  public func allReduce<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, _ operation: ReduceOperation
  ) throws(MPIError) {
    try allReduce(buffer, operation, over: world)
  }

  /// The same over the ranks of this server.
  public func allReduceOnServer<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, _ operation: ReduceOperation
  ) throws(MPIError) {
    try allReduce(buffer, operation, over: server)
  }

  private func allReduce<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, _ operation: ReduceOperation, over ranks: MPI_Comm?
  ) throws(MPIError) {
    try silence()
    board.arrive()
    try inPieces(buffer.count) { (start, count) throws(MPIError) in
      try check(
        board.waits {
          MPI_Allreduce(
            cmpi_in_place(), buffer.baseAddress! + start, count, Scalar.datatype, operation.handle, ranks)
        }, "MPI_Allreduce")
    }
  }

  package func leaders() throws(MPIError) -> ServerLeaders? {
    try silence()
    board.arrive()
    return try ServerLeaders(
      of: world, isLeader: topology.localRank(of: rank) == 0, rank: rank, board)
  }

  /// MPI_Allreduce in place, as near to the bare call as Swift gets: what benches measure against. Training
  /// does not use it, for it promises no order of the additions.
  package func sum(_ buffer: UnsafeMutablePointer<Float>, count: Int) throws(MPIError) {
    try silence()
    try check(
      MPI_Allreduce(cmpi_in_place(), buffer, Int32(count), cmpi_float(), cmpi_sum(), world), "MPI_Allreduce")
  }

  public func gather<Scalar: MPIScalar>(_ values: [Scalar]) throws(MPIError) -> [Scalar] {
    guard let first = values.first else { return [] }
    try silence()
    var all = [Scalar](repeating: first, count: rank == 0 ? worldSize * values.count : 0)
    let count = Int32(values.count)
    board.arrive()
    try check(
      board.waits { MPI_Gather(values, count, Scalar.datatype, &all, count, Scalar.datatype, 0, world) },
      "MPI_Gather")
    return all
  }

  public func send<Scalar: MPIScalar>(
    _ buffer: UnsafeBufferPointer<Scalar>, to rank: Int, tag: Int
  ) throws(MPIError) {
    try silence()
    try inPieces(buffer.count) { (start, count) throws(MPIError) in
      try check(
        MPI_Send(buffer.baseAddress! + start, count, Scalar.datatype, Int32(rank), Int32(tag), world),
        "MPI_Send")
    }
  }

  public func receive<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, from rank: Int, tag: Int
  ) throws(MPIError) {
    try silence()
    try inPieces(buffer.count) { (start, count) throws(MPIError) in
      try check(
        MPI_Recv(
          buffer.baseAddress! + start, count, Scalar.datatype, Int32(rank), Int32(tag), world,
          cmpi_status_ignore()), "MPI_Recv")
    }
  }

  public func exchange(_ messages: [Exchange.Message]) throws(MPIError) -> Exchange? {
    try silence()
    return messages.isEmpty ? nil : try Exchange(messages, over: world, board)
  }

  /// For groups of messages, so many in all.
  package func exchangePool(capacity: Int) throws(MPIError) -> ExchangePool {
    try silence()
    return ExchangePool(over: world, capacity: capacity)
  }

  /// A shared window (MPI 3.1, section 11.2.3) whose memory belongs to the server's first rank.
  public func allocateShared(byteCount: Int) throws(MPIError) -> UnsafeMutableRawPointer {
    try silence()
    board.arrive()
    var window: MPI_Win?
    let memory = try Self.allocateShared(
      byteCount: byteCount, ranks: topology.ranksOfServer[topology.serverOfRank[rank]], rank: rank,
      server: server, window: &window)
    windows.append(window)
    return memory
  }

  public var sharedCount: Int { windows.count }

  public func releaseShared(downTo count: Int) throws(MPIError) {
    try silence()
    while windows.count > count {
      var window = windows.removeLast()
      try check(MPI_Win_free(&window), "MPI_Win_free")
    }
  }

  private static func allocateShared(
    byteCount: Int, ranks: [Int], rank: Int, server: MPI_Comm?, window: inout MPI_Win?
  ) throws(MPIError) -> UnsafeMutableRawPointer {
    let isOwner = ranks[0] == rank
    var base: UnsafeMutableRawPointer?
    do throws(MPIError) {
      try check(
        MPI_Win_allocate_shared(
          isOwner ? byteCount + 64 : 0, 1, cmpi_info_null(), server, &base, &window),
        "MPI_Win_allocate_shared")
    } catch {
      throw MPIError(
        call: error.call, code: error.code,
        message: """
          \(error.message), for \(byteCount) bytes of memory that the ranks of a server share; it may be that /dev/shm \
          is too small (in a container: --shm-size), or name another folder in OMPI_MCA_osc_sm_backing_directory
          """)
    }
    var size: MPI_Aint = 0
    var unit: Int32 = 0
    try check(MPI_Win_shared_query(window, 0, &size, &unit, &base), "MPI_Win_shared_query")
    guard let base else {
      throw MPIError(call: "MPI_Win_shared_query", code: 0, message: "the shared window has no address")
    }
    // Every rank maps the window at the same place within a page, so all round up alike.
    let aligned = base.alignedUp(toMultipleOf: 64)
    // Pages of a window of several ranks are new and so already zero; touching them here would place
    // them all on one NUMA node. A window of one rank is heap memory.
    if ranks.count == 1 { memset(aligned, 0, byteCount) }
    try check(MPI_Barrier(server), "MPI_Barrier")
    return aligned
  }

  /// Whether a thread may talk for this one: no call is made here before its work is done.
  package func add(_ talker: any BackgroundTalker) -> Bool {
    if threadsTakeTurns { talkers.append(talker) }
    return threadsTakeTurns
  }

  package func remove(_ talker: any BackgroundTalker) { talkers.removeAll { $0 === talker } }

  /// Returns when no other thread talks.
  @inline(__always)
  private func silence() throws(MPIError) {
    for talker in talkers { try talker.finish() }
  }

  public func abort(_ code: Int32) -> Never {
    board.end(code)
    MPI_Abort(cmpi_comm_world(), code)
    exit(code)
  }

  public func finalize() throws(MPIError) {
    try silence()
    for index in windows.indices { try check(MPI_Win_free(&windows[index]), "MPI_Win_free") }
    windows = []
    guard isWhole else {
      board.group = 0
      var (world, server) = (world, server)
      try check(MPI_Comm_free(&server), "MPI_Comm_free")
      return try check(MPI_Comm_free(&world), "MPI_Comm_free")
    }
    try check(MPI_Finalize(), "MPI_Finalize")
  }

  /// MPI counts in `int`: longer buffers go in pieces.
  private func inPieces(
    _ count: Int, _ body: (_ start: Int, _ count: Int32) throws(MPIError) -> Void
  ) throws(MPIError) {
    var start = 0
    while start < count {
      let piece = min(count - start, 1 << 30)
      try body(start, Int32(piece))
      start += piece
    }
  }
}
