// A job of one process: every collective is the identity, and MPI is never called.
import CMPI
import Glibc

public final class SingleProcessCommunicator: Communicator {
  public let topology = Topology(serverOfRank: [0], hosts: [hostName()])
  private var allocations: [UnsafeMutableRawPointer] = []

  public init() {}

  deinit { for pointer in allocations { free(pointer) } }

  public var rank: Int { 0 }
  public var worldSize: Int { 1 }

  public func barrier() {}

  public func broadcast<Scalar: MPIScalar>(_ buffer: UnsafeMutableBufferPointer<Scalar>, from root: Int) {}

  public func allReduce<Scalar: MPIScalar>(
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
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, 64, max(byteCount, 64)) == 0, let pointer else {
      throw MPIError(call: "posix_memalign", code: ENOMEM, message: "no memory for \(byteCount) bytes")
    }
    memset(pointer, 0, max(byteCount, 64))
    allocations.append(pointer)
    return pointer
  }

  public func abort(_ code: Int32) -> Never { exit(code) }

  public func finalize() {}
}

/// This machine's name (POSIX gethostname).
func hostName() -> String {
  var name = [CChar](repeating: 0, count: 256)
  gethostname(&name, name.count - 1)
  return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
