// Many sets of messages that come and go by themselves, looked after by one call: each look at MPI may cost the core.
import CMPI

/// Persistent sends and receives in groups (`Exchange` is one of them by itself). A look at all of them is one call of
/// MPI_Testsome, since Open MPI may give the core away in each that finds nothing (`mpi_yield_when_idle`).
package final class ExchangePool {
  private let requests: PersistentRequests
  private let indices: UnsafeMutableBufferPointer<Int32>
  /// Of each request, its group.
  private var groupOfRequest: [Int] = []
  /// Of each group: its requests, and how many of them have yet to end.
  private var ranges: [Range<Int>] = []
  private var open: [Int] = []

  /// - Parameter capacity: messages.
  init(over communicator: MPI_Comm?, capacity: Int) {
    requests = PersistentRequests(over: communicator, capacity: capacity)
    indices = .allocate(capacity: max(1, capacity))
    indices.initialize(repeating: 0)
  }

  deinit { indices.deallocate() }

  /// A group of messages; nil where there are none. Before any is started.
  package func add(_ messages: [Exchange.Message]) throws(MPIError) -> Int? {
    guard !messages.isEmpty else { return nil }
    let first = requests.count
    for message in messages {
      try requests.add(message)
      groupOfRequest.append(ranges.count)
    }
    ranges.append(first..<requests.count)
    open.append(0)
    return ranges.count - 1
  }

  /// Starts a group (MPI_Startall); its memory is MPI's until `isDone`.
  package func start(_ group: Int) throws(MPIError) {
    open[group] = ranges[group].count
    try requests.startAll(ranges[group])
  }

  /// Whether all of a group have been sent and received, as the last `look` has found.
  package func isDone(_ group: Int) -> Bool { open[group] == 0 }

  /// Has MPI go on with whatever it has to do, and sees what has ended.
  /// - Parameter waits: until something has ended (MPI_Waitsome), if anything has begun.
  /// - Returns: whether anything has.
  package func look(waits: Bool = false) throws(MPIError) -> Bool {
    var count: Int32 = 0
    if waits {
      try check(
        MPI_Waitsome(
          Int32(requests.count), requests.start, &count, indices.baseAddress, cmpi_statuses_ignore()),
        "MPI_Waitsome")
    } else {
      try check(
        MPI_Testsome(
          Int32(requests.count), requests.start, &count, indices.baseAddress, cmpi_statuses_ignore()),
        "MPI_Testsome")
    }
    guard count != MPI_UNDEFINED, count > 0 else { return false }
    for index in 0..<Int(count) { open[groupOfRequest[Int(indices[index])]] -= 1 }
    return true
  }
}
