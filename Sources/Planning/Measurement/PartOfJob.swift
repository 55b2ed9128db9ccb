// Work of some ranks of a job, while the others sleep.
import DistributedSGD
import MPI

extension Communicator {
  /// Runs `body` among the ranks that say the same number, from 1 up; those that say 0 sleep. Collective.
  /// - Returns: the greatest of what the bodies have returned.
  func onParts(_ number: Int, _ body: (any Communicator) throws -> Double) throws -> Double {
    var result = 0.0
    if let whole = self as? MPICommunicator {
      // The sleepers are a part too.
      let part = try MPICommunicator(number == 0 ? worldSize + 1 : number, of: whole)
      if number > 0 {
        do { result = try body(part) } catch let error as AgreedError {
          // The other parts do not know of it.
          throw error.error
        }
      }
      try part.finalize()
    } else if number > 0 {
      result = try body(self)
    }
    try sleepingBarrier()
    return try allReduce(result, .maximum)
  }

  /// The part of the job that makes the steps of a configuration, as `onParts` has it.
  func number(in configuration: Configuration) -> Int {
    let server = topology.serverOfRank[rank]
    guard topology.localRank(of: rank) < configuration.ranks else { return 0 }
    switch configuration.scope {
    case .alone: return server == 0 ? 1 : 0
    case .together: return server + 1
    case .whole: return 1
    }
  }
}
