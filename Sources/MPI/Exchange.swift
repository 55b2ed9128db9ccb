// A fixed set of messages that goes over the network once a step: persistent requests, made once.
import CMPI

/// Persistent sends and receives (MPI 3.1, section 3.9). The memory they name must outlive them.
public final class Exchange {
  /// Which way a message goes.
  public enum Direction: Sendable { case send, receive }

  /// One message: `count` floats at `buffer`, to or from `peer`.
  public struct Message {
    /// Sent or received.
    public let direction: Direction
    /// What is sent, or where it is put.
    public let buffer: UnsafeMutablePointer<Float>
    /// Floats.
    public let count: Int
    /// The other rank.
    public let peer: Int
    /// The same at both ends, and another one for each message between two ranks.
    public let tag: Int

    /// A message from or to memory that outlives the exchange.
    public init(
      _ direction: Direction, _ buffer: UnsafeMutablePointer<Float>, count: Int, peer: Int, tag: Int
    ) {
      self.direction = direction
      self.buffer = buffer
      self.count = count
      self.peer = peer
      self.tag = tag
    }
  }

  private let board: RankBoard
  /// A pool owns the raw requests: `[Request]` of a non-copyable type is not possible yet.
  private let requests: UnsafeMutableBufferPointer<MPI_Request?>

  init(_ messages: [Message], over communicator: MPI_Comm?, _ board: RankBoard) throws(MPIError) {
    self.board = board
    requests = .allocate(capacity: messages.count)
    requests.initialize(repeating: cmpi_request_null())
    for (index, message) in messages.enumerated() {
      try message.prepare(requests.baseAddress! + index, over: communicator)
    }
  }

  deinit {
    var finalized: Int32 = 0
    MPI_Finalized(&finalized)
    if finalized == 0 {
      for index in requests.indices { MPI_Request_free(requests.baseAddress! + index) }
    }
    requests.deallocate()
  }

  /// Starts all messages (MPI_Startall); their memory is MPI's until `wait` has returned.
  public func start() throws(MPIError) {
    try check(MPI_Startall(Int32(requests.count), requests.baseAddress), "MPI_Startall")
  }

  /// Returns when all have been sent and received (MPI_Waitall).
  public func wait() throws(MPIError) {
    try check(
      board.waits { MPI_Waitall(Int32(requests.count), requests.baseAddress, cmpi_statuses_ignore()) },
      "MPI_Waitall")
  }
}

extension Exchange.Message {
  /// Makes its persistent request.
  func prepare(_ request: UnsafeMutablePointer<MPI_Request?>, over communicator: MPI_Comm?) throws(MPIError) {
    let (count, peer, tag) = (Int32(count), Int32(peer), Int32(tag))
    switch direction {
    case .send:
      try check(
        MPI_Send_init(buffer, count, Float.datatype, peer, tag, communicator, request), "MPI_Send_init")
    case .receive:
      try check(
        MPI_Recv_init(buffer, count, Float.datatype, peer, tag, communicator, request), "MPI_Recv_init")
    }
  }
}
