// How many cores there really are for a server's ranks together, and for each of them.
import Glibc
import MPI
import System

/// The CPUs of a server and its ranks' shares of them.
package struct ServerCores {
  /// What this rank may use, when the job starts.
  let own: CPUSet?
  /// What the ranks of this server may use together: a launcher may have bound each to a part.
  package let all: CPUSet
  /// How many can be used at the same time, a quota considered.
  package let count: Int
  package let localRanks: Int
  /// Ranks of the whole job on this server.
  private let allRanks: Int
  package let localRank: Int

  /// Collective over all ranks.
  package init(over communicator: any Communicator) throws(MPIError) {
    let topology = communicator.topology
    let server = topology.ranksOfServer[topology.serverOfRank[communicator.rank]]
    let own = CPUSet.ofThisThread
    let mine = own ?? .online
    let localRank = topology.localRank(of: communicator.rank)
    // Every rank fills its own row and leaves zeros in the others, so the maximum is all rows.
    let width = mine.words.count
    let rows = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: width * server.count)
    defer { rows.deallocate() }
    rows.initialize(repeating: 0)
    for (word, bits) in mine.words.enumerated() { rows[localRank * width + word] = bits }
    try communicator.allReduceOnServer(rows, .maximum)
    var all = CPUSet([])
    for row in server.indices {
      for word in 0..<width { all.words[word] |= rows[row * width + word] }
    }
    self.own = own
    self.all = all
    count = coresWithinQuota(all.count)
    localRanks = server.count
    allRanks = communicator.board.rankCount
    self.localRank = localRank
  }

  /// Whether every rank of the server can run at the same time.
  var hasCoreForEveryRank: Bool { (isBoundByLauncher ? localRanks : max(localRanks, allRanks)) <= count }

  /// The threads that each rank can have without any two sharing a core.
  var threadsPerRank: Int { max(1, count / localRanks) }

  /// Whether a launcher has given this rank a part of what its server's ranks may use.
  package var isBoundByLauncher: Bool { own.map { $0 != all } ?? false }

  /// Runs `body` with all cores of the server, for the work of one rank while the others sleep.
  package func withAll<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard isBoundByLauncher, let before = CPUSet.ofThisThread, all.bind() else { return try body() }
    defer { before.bind() }
    return try body()
  }
}
