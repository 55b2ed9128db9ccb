// MPI itself, in a process of its own: a world of one rank that talks to itself. What several ranks tell each other is
// tested by whole jobs.
import Foundation
import MPI
import Testing

/// Without a launcher, where root may do so too.
private func startMPI() throws -> MPICommunicator {
  for name in ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] { setenv(name, "1", 1) }
  setenv("OMPI_MCA_regx", "naive", 1)
  setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 1)
  setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 1)
  return try MPICommunicator()
}

extension MPICommunicator {
  /// Expects that scalars come back from this rank itself as they were.
  fileprivate func expectWhole<Scalar: MPIScalar & Equatable>(_ values: [Scalar]) throws {
    #expect(try gather(values) == values, "\(Scalar.self)")
    let received = UnsafeMutableBufferPointer<Scalar>.allocate(capacity: values.count)
    defer { received.deallocate() }
    received.initialize(repeating: values[0])
    try values.withUnsafeBufferPointer { try send($0, to: 0, tag: 3) }
    try receive(received, from: 0, tag: 3)
    #expect(Array(received) == values, "\(Scalar.self)")
  }
}

/// Each needs the seconds in which MPI starts.
@Suite(.serialized) struct MPICommunicatorTests {
  @Test func aWorldOfOne() async {
    await #expect(processExitsWith: .success) {
      let communicator = try startMPI()
      #expect(communicator.rank == 0 && communicator.worldSize == 1)
      #expect(communicator.topology == Topology(serverOfRank: [0], hosts: [hostName()]))
      #expect(communicator.board.process(of: 0) == getpid())
      // Every collective call is an arrival; two for each text, its length and itself.
      try communicator.barrier()
      try communicator.sleepingBarrier()
      #expect(communicator.board.arrivals(of: 0) == 2)
      #expect(try communicator.broadcastString("héllo", from: 0) == "héllo")
      #expect(communicator.board.arrivals(of: 0) == 4)
      for operation in [.sum, .minimum, .maximum] as [ReduceOperation] {
        #expect(try communicator.allReduce(Float(-2.5), operation) == -2.5)
        #expect(try communicator.allReduce(UInt64.max, operation) == .max)
        #expect(try communicator.allReduce(Int.min, operation) == .min)
      }
      #expect(communicator.board.arrivals(of: 0) == 13)
      #expect(try communicator.gather([1.5, -0.0]) == [1.5, 0])
      #expect(try communicator.gather([] as [Int]) == [])
      #expect(communicator.board.arrivals(of: 0) == 14)
      #expect(!communicator.board.isWaiting(0))
      let memory = try communicator.allocateShared(byteCount: 1000)
      #expect(UInt(bitPattern: memory) % 64 == 0)
      #expect(UnsafeRawBufferPointer(start: memory, count: 1000).allSatisfy { $0 == 0 })
      try communicator.finalize()
    }
  }

  /// A gather copies what MPI takes a scalar's bytes to be; a send does so between buffers.
  @Test func everyTypeTravelsWhole() async {
    await #expect(processExitsWith: .success) {
      let communicator = try startMPI()
      try communicator.expectWhole([1, 255] as [UInt8])
      try communicator.expectWhole([1, Int32.min, -1])
      try communicator.expectWhole([1, Int.min, -1])
      try communicator.expectWhole([1, UInt64.max])
      try communicator.expectWhole([1, -Float.greatestFiniteMagnitude, .leastNonzeroMagnitude])
      try communicator.expectWhole([1, -Double.greatestFiniteMagnitude, .leastNonzeroMagnitude])
      try communicator.finalize()
    }
  }

  /// The same messages again and again: what the buffers hold at the moment goes over.
  @Test func messagesToItself() async {
    await #expect(processExitsWith: .success) {
      let communicator = try startMPI()
      let floats = UnsafeMutablePointer<Float>.allocate(capacity: 6)
      floats.initialize(repeating: 0, count: 6)
      let exchange = try communicator.exchange([
        .init(.receive, floats + 4, count: 2, peer: 0, tag: 7),
        .init(.send, floats, count: 1, peer: 0, tag: 6),
        .init(.receive, floats + 3, count: 1, peer: 0, tag: 6),
        .init(.send, floats + 1, count: 2, peer: 0, tag: 7),
      ])
      for round in 1...5 {
        for index in 0..<3 { floats[index] = Float(10 * round + index) }
        try exchange!.start()
        try exchange!.wait()
        #expect((0..<6).map { Int(floats[$0]) } == [0, 1, 2, 0, 1, 2].map { 10 * round + $0 })
      }
      #expect(try communicator.exchange([]) == nil)
      try communicator.finalize()
    }
  }

  /// Each call's own name, with MPI's number and words for the error.
  @Test func aCallThatFails() async {
    await #expect(processExitsWith: .success) {
      let communicator = try startMPI()
      let root = try #require(throws: MPIError.self) { try communicator.broadcast(1, from: 5) }
      // The number is Open MPI's for MPI_ERR_ROOT.
      #expect(root.call == "MPI_Bcast" && root.code == 8, "\(root)")
      #expect("\(root)" == "MPI_Bcast failed: MPI_ERR_ROOT: invalid root (MPI error 8)")
      let floats = UnsafeMutableBufferPointer<Float>.allocate(capacity: 1)
      floats.initialize(repeating: 0)
      for (call, attempt) in [
        ("MPI_Send", { try communicator.send(UnsafeBufferPointer(floats), to: 3, tag: 0) }),
        ("MPI_Recv", { try communicator.receive(floats, from: 3, tag: 0) }),
        (
          "MPI_Send_init",
          { _ = try communicator.exchange([.init(.send, floats.baseAddress!, count: 1, peer: 3, tag: 0)]) }
        ),
        (
          "MPI_Recv_init",
          { _ = try communicator.exchange([.init(.receive, floats.baseAddress!, count: 1, peer: 3, tag: 0)]) }
        ),
      ] as [(String, () throws -> Void)] {
        let error = try #require(throws: MPIError.self, performing: attempt)
        #expect(error.call == call && error.code == 6, "\(error)")
        #expect("\(error)" == "\(call) failed: MPI_ERR_RANK: invalid rank (MPI error 6)")
      }
      try communicator.barrier()
      try communicator.finalize()
    }
  }
}
