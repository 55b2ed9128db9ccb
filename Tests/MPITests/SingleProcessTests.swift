// A job of one process: every collective is the identity, and nobody else is there.
import Foundation
import MPI
import Testing

@Suite struct SingleProcessTests {
  private let communicator = SingleProcessCommunicator()

  @Test func itIsAlone() {
    #expect(communicator.rank == 0 && communicator.worldSize == 1)
    var names = utsname()
    uname(&names)
    let host = withUnsafeBytes(of: names.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    #expect(hostName() == host)
    #expect(communicator.topology == Topology(serverOfRank: [0], hosts: [host]))
    #expect(communicator.board.localRank == 0 && communicator.board.rankCount == 1)
    #expect(communicator.board.process(of: 0) == getpid())
    #expect(communicator.board.arrivals(of: 0) == 0 && communicator.board.ending(of: 0) == nil)
  }

  /// Of every type that travels, with bits that arithmetic would change.
  @Test func collectivesAreTheIdentity() throws {
    func expectIdentity<Scalar: MPIScalar & Equatable>(_ values: [Scalar]) throws {
      let buffer = UnsafeMutableBufferPointer<Scalar>.allocate(capacity: values.count)
      defer { buffer.deallocate() }
      _ = buffer.initialize(from: values)
      let bytes = Array(UnsafeRawBufferPointer(buffer))
      communicator.broadcast(buffer, from: 0)
      for operation in [.sum, .minimum, .maximum] as [ReduceOperation] {
        communicator.allReduce(buffer, operation)
        #expect(Array(UnsafeRawBufferPointer(buffer)) == bytes, "\(Scalar.self) \(operation)")
        for value in values where value == value {
          #expect(try communicator.allReduce(value, operation) == value)
          #expect(try communicator.broadcast(value, from: 0) == value)
        }
      }
      let gathered = communicator.gather(values)
      #expect(gathered.withUnsafeBytes(Array.init) == bytes, "\(Scalar.self)")
    }
    try expectIdentity([0, 1, 255] as [UInt8])
    try expectIdentity([Int32.min, -1, .max])
    try expectIdentity([Int.min, -1, .max])
    try expectIdentity([0, UInt64.max])
    try expectIdentity([-0.0, .leastNonzeroMagnitude, .infinity, Float(nan: 77, signaling: true)])
    try expectIdentity([-0.0, .leastNonzeroMagnitude, -.infinity, Double(nan: 77, signaling: true)])
    try expectIdentity([] as [Float])
    communicator.barrier()
    communicator.sleepingBarrier()
    #expect(communicator.exchange([]) == nil)
  }

  @Test(arguments: ["", "distsgd", "héllo 数据 🙂", "two\nlines\0and a nought"])
  func textsComeBack(_ text: String) throws {
    #expect(try communicator.broadcastString(text, from: 0) == text)
    #expect(try communicator.broadcastBytes(Array(text.utf8), from: 0) == Array(text.utf8))
  }

  @Test func sharedMemoryIsZeroedAlignedAndItsOwn() throws {
    var all: [(memory: UnsafeMutableRawPointer, count: Int)] = []
    for count in [0, 1, 63, 64, 65, 4096, 1_000_003] {
      let memory = try communicator.allocateShared(byteCount: count)
      #expect(UInt(bitPattern: memory) % 64 == 0)
      #expect(UnsafeRawBufferPointer(start: memory, count: count).allSatisfy { $0 == 0 }, "\(count)")
      memset(memory, Int32(all.count + 1), count)
      all.append((memory, count))
    }
    for (index, part) in all.enumerated() {
      #expect(
        UnsafeRawBufferPointer(start: part.memory, count: part.count).allSatisfy { $0 == index + 1 })
    }
  }

  @Test func moreMemoryThanThereIs() throws {
    let byteCount = 1 << 60
    let error = try #require(throws: MPIError.self) {
      try communicator.allocateShared(byteCount: byteCount)
    }
    #expect(error.call == "mmap" && error.code == ENOMEM)
    #expect(
      "\(error)" == "mmap failed: no memory for 1152921504606846976 bytes (MPI error 12)")
  }

  /// What has no meaning for one process is a mistake of the program.
  @Test func nobodyToTalkTo() async {
    await #expect(processExitsWith: .failure) {
      SingleProcessCommunicator().send(UnsafeBufferPointer<Float>(start: nil, count: 0), to: 1, tag: 0)
    }
    await #expect(processExitsWith: .failure) {
      SingleProcessCommunicator().receive(
        UnsafeMutableBufferPointer<Float>(start: nil, count: 0), from: 1, tag: 0)
    }
    await #expect(processExitsWith: .failure) {
      let floats = UnsafeMutablePointer<Float>.allocate(capacity: 1)
      _ = SingleProcessCommunicator().exchange([.init(.send, floats, count: 1, peer: 1, tag: 0)])
    }
  }

  @Test func abortEndsWithTheCode() async {
    await #expect(processExitsWith: .exitCode(76)) { SingleProcessCommunicator().abort(76) }
  }
}
