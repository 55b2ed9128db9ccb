// Errors of one rank become the same error on all: nobody waits for a rank that has given up.
import MPI
import System

/// An error that every rank of the job throws at the same point: rank 0 tells the user, and all end in
/// good order.
public struct AgreedError: Error {
  /// What is told, once, and the exit code of the job.
  public let error: DistsgdError

  /// An error that all ranks have found alike; the one that throws it alone leaves the others waiting.
  public init(_ error: DistsgdError) { self.error = error }
}

extension Communicator {
  /// Runs `body` on every rank; if it throws on any, all throw the error of the lowest rank that failed.
  /// `body` must not communicate. Collective.
  package func agreeingOnErrors<Result>(_ body: () throws -> Result) throws -> Result {
    var result: Result?
    var failure: DistsgdError?
    do {
      result = try body()
    } catch let error as DistsgdError {
      failure = error
    } catch {
      failure = DistsgdError(.internal, "\(error)")
    }
    let first = try allReduce(failure == nil ? worldSize : rank, .minimum)
    guard first < worldSize else { return result! }
    let code = try broadcast(failure?.code.rawValue ?? 0, from: first)
    let text = try broadcastString(failure?.description ?? "", from: first)
    throw AgreedError(DistsgdError(ExitCode(rawValue: code) ?? .internal, text))
  }

  /// Of this rank's server.
  package var hostName: String { topology.hosts[topology.serverOfRank[rank]] }

  /// The ranks of this rank's server, and how many they are.
  package var serverRanks: [Int] { topology.ranksOfServer[topology.serverOfRank[rank]] }
  package var localRankCount: Int { serverRanks.count }

  /// Whether this rank is the first of its server.
  package var isServerLeader: Bool { topology.ranksOfServer[topology.serverOfRank[rank]][0] == rank }
}
