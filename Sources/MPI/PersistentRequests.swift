// Messages that are sent again and again: their requests, made once.
import CMPI

/// Owns persistent requests (MPI 3.1, section 3.9): `[Request]` of a non-copyable type is not possible yet. The memory they
/// name must outlive them.
final class PersistentRequests {
  private let all: UnsafeMutableBufferPointer<MPI_Request?>
  private let communicator: MPI_Comm?
  private(set) var count = 0

  /// - Parameter capacity: messages at most.
  init(over communicator: MPI_Comm?, capacity: Int) {
    self.communicator = communicator
    all = .allocate(capacity: max(1, capacity))
    all.initialize(repeating: cmpi_request_null())
  }

  deinit {
    var finalized: Int32 = 0
    MPI_Finalized(&finalized)
    if finalized == 0 {
      for index in 0..<count { MPI_Request_free(all.baseAddress! + index) }
    }
    all.deallocate()
  }

  var start: UnsafeMutablePointer<MPI_Request?>? { all.baseAddress }

  func add(_ message: Exchange.Message) throws(MPIError) {
    precondition(count < all.count, "there is room for fewer messages")
    let request = all.baseAddress! + count
    let (length, peer, tag) = (Int32(message.count), Int32(message.peer), Int32(message.tag))
    switch message.direction {
    case .send:
      try check(
        MPI_Send_init(message.buffer, length, message.datatype, peer, tag, communicator, request),
        "MPI_Send_init")
    case .receive:
      try check(
        MPI_Recv_init(message.buffer, length, message.datatype, peer, tag, communicator, request),
        "MPI_Recv_init")
    }
    count += 1
  }

  /// Starts some of them.
  func startAll(_ range: Range<Int>) throws(MPIError) {
    try check(MPI_Startall(Int32(range.count), all.baseAddress! + range.lowerBound), "MPI_Startall")
  }
}
