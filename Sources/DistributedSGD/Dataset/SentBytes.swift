// What rank 0 has read, on its way to the other servers.
import MPI
import System

/// Sends bytes of rank 0 to the first rank of each other server, piece by piece: the next pieces are read from rank 0's
/// file while one is on its way, and from server to server the pieces follow each other.
struct SentBytes {
  /// Of a piece: long enough for the network, short against any memory.
  private static let pieceBytes = 4 << 20
  /// What is read ahead of a file, and kept of it in memory.
  private static let (aheadBytes, keptBytes) = (64 << 20, 256 << 20)

  private let leaders: ServerLeaders
  private let isLeader: Bool

  /// - Returns: nil where all ranks are on one server. Collective over all ranks.
  init?(over communicator: any Communicator) throws(MPIError) {
    guard communicator.topology.serverCount > 1, let leaders = try communicator.leaders() else { return nil }
    self.leaders = leaders
    isLeader = communicator.isServerLeader
  }

  /// Rank 0's bytes in those of the other first ranks; the ranks that are none pass by.
  /// - Parameters:
  ///   - source: rank 0's file, if they are in one.
  ///   - target: a file that they are written to, if they are to be in one.
  func send(
    _ bytes: UnsafeMutableRawBufferPointer, from source: MappedFile? = nil, into target: UnnamedFile? = nil
  ) throws(MPIError) {
    guard isLeader else { return }
    for start in stride(from: 0, to: bytes.count, by: Self.pieceBytes) {
      let end = min(start + Self.pieceBytes, bytes.count)
      if start % Self.aheadBytes == 0 {
        source?.announce(start..<min(start + 2 * Self.aheadBytes, bytes.count))
      }
      try leaders.broadcast(UnsafeMutableRawBufferPointer(rebasing: bytes[start..<end]))
      if end % Self.keptBytes == 0 {
        source?.release()
        target?.release()
      }
    }
  }

  func close() throws(MPIError) { if isLeader { try leaders.close() } }
}
