// What the ranks of a job can say to each other. Two implementations: one process, and MPI.

/// The ranks of a job. Every call but `send`, `receive` and `abort` is collective: all ranks make it,
/// in the same order.
public protocol Communicator: AnyObject {
  /// This process, from 0 to below `worldSize`.
  var rank: Int { get }
  /// Ranks in the job.
  var worldSize: Int { get }
  /// Which ranks share memory.
  var topology: Topology { get }
  /// What the ranks of this server show each other. Every collective call is an arrival on it.
  var board: RankBoard { get }

  /// Returns when all ranks have called it.
  func barrier() throws(MPIError)
  /// A barrier whose waiting ranks sleep: for when one of them works long, perhaps on all cores.
  func sleepingBarrier() throws(MPIError)
  /// The root's `buffer` in that of every rank; the same length on all.
  func broadcast<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, from root: Int) throws(MPIError)
  /// Combines `buffer` over all ranks, element by element, in an order that MPI chooses: use it where
  /// the order cannot show (counts, minima, sums with one non-zero term).
  func allReduce<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, _ operation: ReduceOperation) throws(MPIError)
  /// The same over the ranks of each server by itself.
  func allReduceOnServer<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, _ operation: ReduceOperation) throws(MPIError)
  /// Rank 0 gets worldSize × values.count scalars, in the order of ranks; the others an empty array.
  func gather<Scalar: MPIScalar>(_ values: [Scalar]) throws(MPIError) -> [Scalar]

  /// Sends to one rank, which receives; returns when `buffer` may be used again. Not collective.
  func send<Scalar: MPIScalar>(
    _ buffer: UnsafeBufferPointer<Scalar>, to rank: Int, tag: Int) throws(MPIError)
  /// Fills `buffer`, whose length is that of what `rank` sends with this tag. Not collective.
  func receive<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, from rank: Int, tag: Int) throws(MPIError)
  /// Messages that are sent again and again from and to the same memory.
  func exchange(_ messages: [Exchange.Message]) throws(MPIError) -> Exchange?

  /// `byteCount` bytes, zeroed and 64-byte aligned, that all ranks of this server see. The memory lives
  /// as long as the communicator. `byteCount` is the same on all ranks of a server.
  func allocateShared(byteCount: Int) throws(MPIError) -> UnsafeMutableRawPointer

  /// How often `allocateShared` has given memory that is still there.
  var sharedCount: Int { get }
  /// Takes back what was allocated last, until so much is left: nobody uses it any more.
  func releaseShared(downTo count: Int) throws(MPIError)

  /// Ends the whole job at once with `code`, whatever the other ranks are doing.
  func abort(_ code: Int32) -> Never
  /// Ends communication; the communicator and its shared memory must not be used after it.
  func finalize() throws(MPIError)
}

extension Communicator {
  /// The root's value on every rank. Collective.
  public func broadcast<Scalar: MPIScalar>(_ value: Scalar, from root: Int) throws(MPIError) -> Scalar {
    var value = value
    try withBuffer(of: &value) { (buffer) throws(MPIError) in try broadcast(buffer, from: root) }
    return value
  }

  /// A channel from rank 0 to the first ranks of the other servers; nil for one process. Collective over all ranks.
  package func leaders() throws(MPIError) -> ServerLeaders? { try (self as? MPICommunicator)?.leaders() }

  /// One value of every rank, combined; the same on all. Collective.
  public func allReduce<Scalar: MPIScalar>(
    _ value: Scalar, _ operation: ReduceOperation
  ) throws(MPIError) -> Scalar {
    var value = value
    try withBuffer(of: &value) { (buffer) throws(MPIError) in try allReduce(buffer, operation) }
    return value
  }

  /// The root's bytes on every rank; what the others pass is ignored. Collective.
  public func broadcastBytes(_ bytes: [UInt8], from root: Int) throws(MPIError) -> [UInt8] {
    let count = try broadcast(bytes.count, from: root)
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: count)
    defer { buffer.deallocate() }
    if rank == root { _ = buffer.initialize(from: bytes) }
    try broadcast(buffer, from: root)
    return Array(buffer)
  }

  /// The root's text on every rank. Collective.
  public func broadcastString(_ string: String, from root: Int) throws(MPIError) -> String {
    String(decoding: try broadcastBytes(Array(string.utf8), from: root), as: UTF8.self)
  }

  private func withBuffer<Scalar>(
    of value: inout Scalar, _ body: (UnsafeMutableBufferPointer<Scalar>) throws(MPIError) -> Void
  ) throws(MPIError) {
    let buffer = UnsafeMutableBufferPointer<Scalar>.allocate(capacity: 1)
    defer { buffer.deallocate() }
    buffer.initialize(repeating: value)
    try body(buffer)
    value = buffer[0]
  }
}
