// The first ranks of all servers, talking among themselves.
import CMPI

/// A channel from rank 0 to the first rank of each other server, in which the other ranks have no part.
package final class ServerLeaders {
  private var communicator: MPI_Comm?
  private let board: RankBoard

  /// - Parameter world: of all ranks. Collective over them.
  init(of world: MPI_Comm?, isLeader: Bool, rank: Int, _ board: RankBoard) throws(MPIError) {
    self.board = board
    // MPI 3.1, section 6.4.2: who gives no colour gets no communicator.
    try check(
      MPI_Comm_split(world, isLeader ? 0 : Int32(MPI_UNDEFINED), Int32(rank), &communicator), "MPI_Comm_split"
    )
    if isLeader {
      try check(MPI_Comm_set_errhandler(communicator, cmpi_errors_return()), "MPI_Comm_set_errhandler")
    }
  }

  /// Rank 0's bytes on all of them, at most 2³⁰ at a time. Collective over them alone.
  package func broadcast(_ bytes: UnsafeMutableRawBufferPointer) throws(MPIError) {
    precondition(bytes.count <= 1 << 30)
    try check(
      board.waits {
        MPI_Bcast(bytes.baseAddress, Int32(bytes.count), UInt8.datatype, 0, communicator)
      }, "MPI_Bcast")
  }

  /// No more is to be said. Collective over them alone.
  package func close() throws(MPIError) { try check(MPI_Comm_free(&communicator), "MPI_Comm_free") }
}
