// A job of one process: every collective is the identity, and MPI is never called.
import CMPI
import Glibc

/// A job of one process. Nobody is there to `send` to or to `receive` from: that is a programmer's error.
public final class SingleProcessCommunicator: Communicator {
  public let topology = Topology(serverOfRank: [0], hosts: [hostName()])
  public let board: RankBoard
  private let boardMemory: UnsafeMutableRawPointer
  private var allocations: [UnsafeMutableRawBufferPointer] = []

  /// The only rank, on this machine.
  public init() {
    let byteCount = RankBoard.byteCount(ranks: 1)
    boardMemory = .allocate(byteCount: byteCount, alignment: 64)
    boardMemory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    board = RankBoard(memory: boardMemory, localRank: 0, rankCount: 1)
  }

  deinit {
    for memory in allocations { munmap(memory.baseAddress!, memory.count) }
    boardMemory.deallocate()
  }

  public var rank: Int { 0 }
  public var worldSize: Int { 1 }

  public func barrier() {}

  public func sleepingBarrier() {}

  public func broadcast<Scalar: MPIScalar>(_ buffer: UnsafeMutableBufferPointer<Scalar>, from root: Int) {}

  public func allReduce<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, _ operation: ReduceOperation
  ) {}

  public func allReduceOnServer<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, _ operation: ReduceOperation
  ) {}

  public func gather<Scalar: MPIScalar>(_ values: [Scalar]) -> [Scalar] { values }

  public func send<Scalar: MPIScalar>(_ buffer: UnsafeBufferPointer<Scalar>, to rank: Int, tag: Int) {
    preconditionFailure("a single process has nobody to send to")
  }

  public func receive<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, from rank: Int, tag: Int
  ) {
    preconditionFailure("a single process has nobody to receive from")
  }

  public func exchange(_ messages: [Exchange.Message]) -> Exchange? {
    precondition(messages.isEmpty, "a single process has nobody to exchange with")
    return nil
  }

  public func allocateShared(byteCount: Int) throws(MPIError) -> UnsafeMutableRawPointer {
    // New pages of the system are zero already, and come when they are first used.
    let size = max(byteCount, 64)
    let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else {
      throw MPIError(call: "mmap", code: errno, message: "no memory for \(byteCount) bytes")
    }
    allocations.append(UnsafeMutableRawBufferPointer(start: memory, count: size))
    return memory
  }

  public var sharedCount: Int { allocations.count }

  public func releaseShared(downTo count: Int) {
    while allocations.count > count {
      let memory = allocations.removeLast()
      munmap(memory.baseAddress!, memory.count)
    }
  }

  public func abort(_ code: Int32) -> Never { exit(code) }

  public func finalize() {}
}

/// This machine's name (POSIX gethostname).
package func hostName() -> String {
  var name = [CChar](repeating: 0, count: 256)
  gethostname(&name, name.count - 1)
  return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
