// Which ranks read the data; and data from standard input, which mpirun gives to one rank of the job alone.
import DataFormats
import DistributedSGD
import MPI
import System

/// Collective.
/// - Throws: `AgreedError` (`usage`) when the first ranks of several servers would have to read it.
func requireStandardInput(for data: String, _ origin: DataOrigin, _ communicator: any Communicator) throws {
  let servers = communicator.topology.serverCount
  try communicator.agreeingOnErrors {
    guard data == standardInputPath, servers > 1, origin == .each else { return }
    throw DistsgdError(
      .usage,
      "--data -: standard input reaches rank 0 alone, and this job has \(servers) servers that read the data: give a file that all of them have, or let rank 0 read for all (--data-from rank0)"
    )
  }
}

extension Communicator {
  /// Whether this rank reads the data.
  func reads(_ origin: DataOrigin) -> Bool { origin == .rank0 ? rank == 0 : isServerLeader }
}
