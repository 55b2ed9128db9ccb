// Loss and accuracy over a data set: every example once, sums added in an order that does not depend on
// the number of ranks.
import DataFormats
import MPI
import NeuralNet
import System
import Text

/// The result of an evaluation, as means over all examples.
public struct Evaluation: Sendable, Equatable, CustomStringConvertible {
  /// What a loss tells beside itself (`Loss.measures`).
  public struct Measure: Sendable, Equatable {
    /// `accuracy`, for example.
    public var name: String
    /// A mean over all examples.
    public var value: Double

    /// A measure by its name.
    public init(_ name: String, _ value: Double) {
      self.name = name
      self.value = value
    }
  }

  /// The mean loss.
  public var loss: Double
  /// In the order of `Loss.measures`.
  public var measures: [Measure]

  /// Means that a program has made itself.
  public init(loss: Double, measures: [Measure] = []) {
    self.loss = loss
    self.measures = measures
  }

  /// As the chapter prints it: `loss: 0.243`, or `loss: 0.512, accuracy: 0.812`.
  public var description: String {
    measures.reduce("loss: \(readableLoss(loss))") { "\($0), \($1.name): \(fixed($1.value, 3))" }
  }

  /// The fraction classified right; nil for regression.
  public var accuracy: Double? { measures.first { $0.name == "accuracy" }?.value }
}

/// Evaluates a model over the ranks of a job.
///
/// The examples are cut into chunks of `chunkRows`, whatever the number of ranks; each rank takes some of the
/// chunks, and the chunks' sums are added in their order.
package final class Evaluator {
  package static let chunkRows = 256

  private let communicator: any Communicator
  let dataset: Dataset
  private let loss: any Loss
  private let network: Network
  private let batch: BatchBuffer
  /// Shape (chunks, 1 + measures): the sums of the loss, and of what else it tells.
  private let sums: UnsafeMutableBufferPointer<Double>

  /// - Throws: `AgreedError` where model, loss and data do not fit each other.
  package init(
    model: Sequential, loss: any Loss, dataset: Dataset, arithmetic: Arithmetic = .blas,
    communicator: any Communicator
  ) throws {
    try requireFit(model, loss, dataset)
    self.communicator = communicator
    self.dataset = dataset
    self.loss = loss.computed(by: arithmetic)
    let rows = min(Self.chunkRows, dataset.count)
    network = Network(model, maximumRows: rows, arithmetic: arithmetic)
    batch = BatchBuffer(dataset, capacity: rows)
    sums = .allocate(capacity: (1 + loss.measures.count) * ((dataset.count + rows - 1) / rows))
  }

  deinit { sums.deallocate() }

  /// Collective over all ranks.
  package func evaluate(_ parameters: UnsafePointer<Float>) throws(MPIError) -> Evaluation {
    let width = 1 + loss.measures.count
    let chunks = sums.count / width
    sums.update(repeating: 0)
    for chunk in part(communicator.rank, of: communicator.worldSize, count: chunks) {
      let examples =
        chunk * batch.capacity..<min((chunk + 1) * batch.capacity, dataset.count)
      batch.load(examples: examples)
      let output = network.forward(
        parameters: parameters, input: batch.features, rows: examples.count)
      loss.evaluate(
        output, batch.targets, rows: examples.count, columns: network.model.outputCount,
        into: sums.baseAddress! + chunk * width)
    }
    // Every element has one rank's number and zeros: their sum is exact in any order.
    if communicator.worldSize > 1 { try communicator.allReduce(sums, .sum) }
    let count = Double(dataset.count)
    func mean(_ column: Int) -> Double {
      stride(from: column, to: sums.count, by: width).reduce(0) { $0 + sums[$1] } / count
    }
    return Evaluation(
      loss: mean(0),
      measures: loss.measures.enumerated().map { Evaluation.Measure($1, mean($0 + 1)) })
  }
}
