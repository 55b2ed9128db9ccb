// Loss and accuracy over a data set: every example once, sums added in an order that does not depend on
// the number of ranks.
import MPI
import NeuralNet

/// The result of an evaluation, as means over all examples.
public struct Evaluation: Sendable, Equatable {
  public var loss: Double
  /// The fraction classified right; nil for regression.
  public var accuracy: Double?
}

/// Evaluates a model over the ranks of a job.
///
/// The examples are cut into chunks of `chunkRows`, whatever the number of ranks; each rank takes some of the
/// chunks, and the chunks' sums are added in their order.
public final class Evaluator {
  static let chunkRows = 256

  private let communicator: any Communicator
  private let dataset: Dataset
  private let loss: Loss
  private let network: Network
  private let batch: BatchBuffer
  /// The loss of every chunk, then the number of right answers of every chunk.
  private let sums: UnsafeMutableBufferPointer<Double>

  public init(model: Sequential, loss: Loss, dataset: Dataset, communicator: any Communicator) {
    self.communicator = communicator
    self.dataset = dataset
    self.loss = loss
    let rows = min(Self.chunkRows, dataset.count)
    network = Network(model, maximumRows: rows)
    batch = BatchBuffer(dataset, capacity: rows)
    sums = .allocate(capacity: 2 * ((dataset.count + rows - 1) / rows))
  }

  deinit { sums.deallocate() }

  /// Collective over all ranks.
  public func evaluate(_ parameters: UnsafePointer<Float>) throws(MPIError) -> Evaluation {
    let chunks = sums.count / 2
    sums.update(repeating: 0)
    for chunk in part(communicator.rank, of: communicator.worldSize, count: chunks) {
      let examples =
        chunk * batch.capacity..<min((chunk + 1) * batch.capacity, dataset.count)
      batch.load(examples: examples)
      let output = network.forward(
        parameters: parameters, input: batch.features, rows: examples.count)
      let result = loss.evaluate(
        output: output, targets: batch.targets, rows: examples.count, columns: network.model.outputCount)
      sums[chunk] = result.loss
      sums[chunks + chunk] = Double(result.correct)
    }
    // Every element has one rank's number and zeros: their sum is exact in any order.
    if communicator.worldSize > 1 { try communicator.allReduce(sums, .sum) }
    let count = Double(dataset.count)
    return Evaluation(
      loss: sums[..<chunks].reduce(0, +) / count,
      accuracy: dataset.classCount == nil ? nil : sums[chunks...].reduce(0, +) / count)
  }
}
