// Data from standard input, which mpirun gives to one rank of the job alone.
import MPI
import System

/// Collective.
/// - Throws: `AgreedError` (`usage`) when the first ranks of several servers would have to read it.
func requireStandardInput(for data: String, _ communicator: any Communicator) throws {
  let servers = communicator.topology.serverCount
  try communicator.agreeingOnErrors {
    guard data == standardInputPath, servers > 1 else { return }
    throw DistsgdError(
      .usage,
      "--data -: standard input reaches rank 0 alone, and this job has \(servers) servers that read the data: give a file that all of them have"
    )
  }
}
