// The model of the best validation loss, and a run that ends when there is no better one: `--keep-best`, `--early-stopping`.
import DistributedSGD
import MPI
import System
import Text

extension RunState {
  /// Takes an evaluation in.
  /// - Returns: whether it is the best so far.
  mutating func isBest(_ loss: Double) -> Bool {
    if let best, loss >= best.loss {
      self.best?.since += 1
      return false
    }
    best = BestEvaluation(loss: loss, step: step)
    return true
  }
}

/// Rank 0's copy of the parameters of the best evaluation.
final class BestModel {
  /// Shape (n); empty on the other ranks.
  let values: UnsafeMutableBufferPointer<Float>
  private let communicator: any Communicator

  init(parameterCount: Int, communicator: any Communicator) {
    self.communicator = communicator
    values = .allocate(capacity: communicator.rank == 0 ? parameterCount : 0)
    values.initialize(repeating: 0)
  }

  deinit { values.deallocate() }

  func keep(_ parameters: UnsafeMutableBufferPointer<Float>) {
    if !values.isEmpty { _ = values.update(fromContentsOf: parameters) }
  }

  /// Puts it in the place of the parameters of all ranks. Collective.
  func install(in parameters: UnsafeMutableBufferPointer<Float>) throws(MPIError) {
    let piece = UnsafeMutableBufferPointer<Float>.allocate(capacity: min(parameters.count, 1 << 20))
    defer { piece.deallocate() }
    for start in stride(from: 0, to: parameters.count, by: max(1, piece.count)) {
      let part = UnsafeMutableBufferPointer(rebasing: piece[..<min(piece.count, parameters.count - start)])
      if !values.isEmpty { _ = part.update(fromContentsOf: values[start..<start + part.count]) }
      try communicator.broadcast(part, from: 0)
      // Ranks of a server share the parameters, and write the same values.
      (parameters.baseAddress! + start).update(from: part.baseAddress!, count: part.count)
    }
    try communicator.barrier()
  }
}
