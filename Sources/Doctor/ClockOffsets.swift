// How far the hosts' clocks are apart: rank 0 asks the first rank of every server for its time (Cristian 1989).
import DistributedSGD
import MPI
import System

struct ClockOffsets {
  /// Of every server's clock ahead of rank 0's, on rank 0. The answer of the quickest round counts, and its error is at
  /// most half of that round's time.
  private(set) var seconds: [Double]

  /// Collective.
  init(over communicator: any Communicator) throws(MPIError) {
    let leaders = communicator.topology.ranksOfServer.map { $0[0] }
    seconds = [Double](repeating: 0, count: leaders.count)
    let word = UnsafeMutableBufferPointer<Double>.allocate(capacity: 1)
    defer { word.deallocate() }
    word.initialize(repeating: 0)
    for (server, leader) in leaders.enumerated() where leader != 0 {
      var best = Double.infinity
      for _ in 0..<16 {
        if communicator.rank == 0 {
          let start = monotonicSeconds()
          let before = wallSeconds()
          try communicator.send(UnsafeBufferPointer(word), to: leader, tag: 40)
          try communicator.receive(word, from: leader, tag: 40)
          let round = monotonicSeconds() - start
          if round < best {
            best = round
            seconds[server] = word[0] - (before + round / 2)
          }
        } else if communicator.rank == leader {
          try communicator.receive(word, from: 0, tag: 40)
          word[0] = wallSeconds()
          try communicator.send(UnsafeBufferPointer(word), to: 0, tag: 40)
        }
      }
    }
    try communicator.barrier()
  }
}
