// Options of a job that starts its own ranks, as ArgumentParser sees them.
import ArgumentParser
import DistributedSGD
import System

/// Options that no rank sees: they are gone from the command line that mpirun starts.
struct StartArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Start so many ranks by mpirun, with what this machine needs for that; cores: one for each core.",
      valueName: "p|cores"))
  var ranks: String?

  @Option(
    help: ArgumentHelp(
      "Start them on these hosts, by commas, each with its number of ranks: node01:8,node02:8.",
      valueName: "host:p,…"))
  var hosts: String?

  @Option(help: ArgumentHelp("Start them on the hosts of mpirun's hostfile.", valueName: "file"))
  var hostfile: String?

  /// Within a job that was started already nobody starts ranks.
  /// - Throws: `AgreedError`: every rank has the same words.
  func requireNone() throws {
    do { try mustBeNone() } catch { throw AgreedError(error) }
  }

  /// The same within what ranks agree on.
  func mustBeNone() throws(DistsgdError) {
    let words = [("--ranks", ranks), ("--hosts", hosts), ("--hostfile", hostfile)]
    guard let (name, _) = words.first(where: { $0.1 != nil }) else { return }
    throw DistsgdError(
      .usage, "\(name) starts the ranks itself; leave it out where mpirun or srun does, or leave out mpirun")
  }
}
