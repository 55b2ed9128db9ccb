// What every rank tells of itself.
import MPI
import NeuralNet
import Runs
import System

/// A rank, as it sees itself.
package struct RankFacts: Equatable, Sendable {
  /// Its server.
  package var host = 0
  /// CPUs that it may use.
  package var cpus: [Int] = [0]
  /// OpenBLAS's kernel, and the one that OpenBLAS chose by itself where that was replaced.
  package var kernel = "Haswell"
  package var replacedKernel: String?
  /// Version and build of the libraries, and of this program.
  package var blas = ""
  package var mpi = ""
  package var version = ""

  package init() {}

  package var fields: [String] {
    [
      "\(host)", cpus.map(String.init).joined(separator: ","), kernel, replacedKernel ?? "", blas, mpi,
      version,
    ]
  }

  package init(fields: [String]) {
    guard fields.count == 7 else { return }
    host = Int(fields[0]) ?? 0
    cpus = fields[1].split(separator: ",").compactMap { Int($0) }
    kernel = fields[2]
    replacedKernel = fields[3].isEmpty ? nil : fields[3]
    (blas, mpi, version) = (fields[4], fields[5], fields[6])
  }

  /// Of this process.
  static func own(over communicator: any Communicator) -> RankFacts {
    var facts = RankFacts()
    facts.host = communicator.topology.serverOfRank[communicator.rank]
    facts.cpus = (CPUSet.ofThisThread ?? .online).cpus
    facts.kernel = BLAS.kernelName
    facts.replacedKernel = BLAS.replacedKernel
    facts.blas = BLAS.configuration
    facts.mpi = MPILibrary.words
    facts.version = Runs.version
    return facts
  }
}
