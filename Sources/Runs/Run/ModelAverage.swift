// Averages of the parameters along a run: `--ema` (Polyak & Juditsky 1992, with weights that fade), and `--swa` (Izmailov
// et al. 2018).
import CKernels
import DistributedSGD
import MPI
import System

/// What is averaged.
enum AverageRule: Sendable, Equatable {
  /// After every step: a ← decay·a + (1 − decay)·w, from the first step's w on.
  case steps(decay: Float)
  /// At the end of every epoch from `first` on: the mean.
  case epochs(first: Int)
}

extension TrainingOptions {
  /// nil where nothing is averaged.
  var averageRule: AverageRule? {
    averageDecay.map { .steps(decay: Float($0)) }
      ?? (averagesEpochs ? .epochs(first: averagesFrom ?? 1) : nil)
  }
}

/// The average of a model's parameters, statistics of batch norms among them. A server holds it once; each of its ranks
/// adds to its own part, element by element, so that all come to the same bits on any number of them.
final class ModelAverage {
  let rule: AverageRule
  /// Shape (n), in memory that the ranks of this server share.
  let values: UnsafeMutableBufferPointer<Float>
  private let own: Range<Int>
  private let communicator: any Communicator

  /// Collective.
  init(_ rule: AverageRule, parameterCount: Int, communicator: any Communicator) throws(MPIError) {
    self.rule = rule
    self.communicator = communicator
    let memory = try communicator.allocateShared(byteCount: 4 * parameterCount)
    values = UnsafeMutableBufferPointer(
      start: memory.bindMemory(to: Float.self, capacity: parameterCount), count: parameterCount)
    // Whole cache lines, so that ranks do not write to one line.
    let lines = part(
      communicator.topology.localRank(of: communicator.rank), of: communicator.localRankCount,
      count: (parameterCount + 15) / 16)
    own = min(16 * lines.lowerBound, parameterCount)..<min(16 * lines.upperBound, parameterCount)
  }

  /// Takes the parameters in as they are after a step, if they belong to it. Collective.
  /// - Parameters:
  ///   - count: how many are in it.
  ///   - finishedEpoch: from 1; nil within one.
  /// - Returns: how many are in it then.
  func add(
    _ parameters: UnsafeMutableBufferPointer<Float>, count: Int, finishedEpoch: Int?
  ) throws(MPIError) -> Int {
    let keep: Float
    switch rule {
    case .steps(let decay): keep = count == 0 ? 0 : decay
    case .epochs(let first):
      guard let finishedEpoch, finishedEpoch >= first else { return count }
      keep = Float(count) / Float(count + 1)
    }
    if !own.isEmpty {
      ckernels_average(
        values.baseAddress! + own.lowerBound, parameters.baseAddress! + own.lowerBound, keep, 1 - keep,
        own.count)
    }
    // Another rank may read all of it: to evaluate it, or to keep it.
    try wait()
    return count + 1
  }

  /// Returns when all ranks have come here. Collective.
  func wait() throws(MPIError) { try communicator.barrier() }
}
