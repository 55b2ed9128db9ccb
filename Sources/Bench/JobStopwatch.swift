// Timing what all ranks of a job do together: the same calls, as often and in the same turns on every rank, and
// of each round the time of the slowest.
import MPI
import System

/// Times calls that all ranks make. Each is given the number of its repetitions, which every rank agrees on: as
/// many as last `minimumSeconds`. Round k of all calls comes before round k + 1 of any, so that what disturbs
/// the machine for a while disturbs them alike; one round is warm-up. Collective.
/// - Parameter beforeRounds: called when the warm-up is over.
/// - Returns: seconds of one repetition, and how many there were in each round.
func timeTogether(
  _ calls: [(_ repetitions: Int) throws(MPIError) -> Void], rounds: Int, minimumSeconds: Double,
  communicator: any Communicator, beforeRounds: () -> Void = {}
) throws(MPIError) -> [(timing: Timing, repetitions: Int)] {
  /// Seconds of the slowest rank.
  func run(_ call: (Int) throws(MPIError) -> Void, _ repetitions: Int) throws(MPIError) -> Double {
    try communicator.barrier()
    let start = monotonicSeconds()
    try call(repetitions)
    return try communicator.allReduce(monotonicSeconds() - start, .maximum)
  }
  var repetitions: [Int] = []
  for call in calls {
    _ = try run(call, 1)
    var count = 1
    while try run(call, count) < minimumSeconds { count *= 2 }
    repetitions.append(count)
  }
  var samples = [[Double]](repeating: [], count: calls.count)
  for round in 0...rounds {
    Stages.part(Double(round) / Double(rounds + 1))
    if round == 1 { beforeRounds() }
    for (index, call) in calls.enumerated() {
      let seconds = try run(call, repetitions[index])
      if round > 0 { samples[index].append(seconds / Double(repetitions[index])) }
    }
  }
  return zip(samples, repetitions).map { (Timing($0), $1) }
}
