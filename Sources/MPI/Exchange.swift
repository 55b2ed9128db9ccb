// A fixed set of messages that goes over the network once a step: persistent requests, made once.
import CMPI

/// Persistent sends and receives (MPI 3.1, section 3.9). The memory they name must outlive them.
public final class Exchange {
  /// Which way a message goes.
  public enum Direction: Sendable { case send, receive }

  /// One message: `count` numbers at `buffer`, to or from `peer`.
  public struct Message {
    /// Sent or received.
    public let direction: Direction
    /// What is sent, or where it is put.
    public let buffer: UnsafeMutableRawPointer
    /// Numbers.
    public let count: Int
    /// The other rank.
    public let peer: Int
    /// The same at both ends, and another one for each message between two ranks.
    public let tag: Int
    let datatype: MPI_Datatype?

    /// A message from or to memory that outlives the exchange.
    public init<Scalar: MPIScalar>(
      _ direction: Direction, _ buffer: UnsafeMutablePointer<Scalar>, count: Int, peer: Int, tag: Int
    ) {
      self.direction = direction
      self.buffer = UnsafeMutableRawPointer(buffer)
      datatype = Scalar.datatype
      self.count = count
      self.peer = peer
      self.tag = tag
    }
  }

  private let board: RankBoard
  private let requests: PersistentRequests

  init(_ messages: [Message], over communicator: MPI_Comm?, _ board: RankBoard) throws(MPIError) {
    self.board = board
    requests = PersistentRequests(over: communicator, capacity: messages.count)
    for message in messages { try requests.add(message) }
  }

  /// Starts all messages (MPI_Startall); their memory is MPI's until `wait` has returned.
  public func start() throws(MPIError) {
    try requests.startAll(0..<requests.count)
  }

  /// Returns when all have been sent and received (MPI_Waitall).
  public func wait() throws(MPIError) {
    try check(
      board.waits { MPI_Waitall(Int32(requests.count), requests.start, cmpi_statuses_ignore()) },
      "MPI_Waitall")
  }
}
