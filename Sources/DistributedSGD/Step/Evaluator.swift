// Loss and accuracy over a data set: every example once, sums added in an order that does not depend on
// the number of ranks.
import DataFormats
import MPI
import NeuralNet
import System
import Text

/// The result of an evaluation over all examples.
public struct Evaluation: Sendable, Equatable, CustomStringConvertible {
  /// What is told beside the loss (`Loss.measures`, `Catalog.measures`).
  public struct Measure: Sendable, Equatable {
    /// `accuracy`, for example.
    public var name: String
    /// A mean over all examples, or another number of all of them.
    public var value: Double

    /// A measure by its name.
    public init(_ name: String, _ value: Double) {
      self.name = name
      self.value = value
    }

    /// Its name as people read it: `R²`.
    public var label: String {
      Catalog.measures.lazy.compactMap { [name] in $0.labels[name] }.first ?? name
    }
  }

  /// The mean loss.
  public var loss: Double
  /// In the order of `Loss.measures`, and then of `Catalog.measures`.
  public var measures: [Measure]
  /// What is more than a number: of each class, each target, each pair of classes.
  public var tables: [MeasureResult]

  /// Means that a program has made itself.
  public init(loss: Double, measures: [Measure] = [], tables: [MeasureResult] = []) {
    self.loss = loss
    self.measures = measures
    self.tables = tables
  }

  /// As the chapter prints it: `loss: 0.243`, or `loss: 0.512, accuracy: 0.812`.
  public var description: String {
    measures.reduce("loss: \(readableLoss(loss))") { "\($0), \($1.label): \(readableMeasure($1.value))" }
  }

  /// The fraction classified right; nil for regression.
  public var accuracy: Double? { measures.first { $0.name == "accuracy" }?.value }
}

/// Evaluates a model over the ranks of a job.
///
/// The examples are cut into chunks of `chunkRows`, or fewer pictures, whatever the number of ranks; each rank takes some of the
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
  /// What the sums are divided by: the number of examples, or their weights.
  private let total: Double
  /// Shape (1 + measures): those of one row, where examples have weights.
  private let row: UnsafeMutableBufferPointer<Double>
  /// nil where nothing but the loss's own measures is asked for.
  private let measuring: Measuring?

  /// - Parameter task: what is told beside the loss and its own measures is told of this; nil: nothing.
  /// - Throws: `AgreedError` where model, loss and data do not fit each other.
  package init(
    model: Sequential, loss: any Loss, dataset: Dataset, task: MeasuredTask? = nil,
    arithmetic: Arithmetic = .blas, communicator: any Communicator
  ) throws {
    try requireFit(model, loss, dataset)
    self.communicator = communicator
    self.dataset = dataset
    let loss = loss.computed(by: arithmetic)
    self.loss = loss
    let rows = min(model.rowsOfPictures ?? Self.chunkRows, dataset.count)
    network = Network(model, maximumRows: rows, arithmetic: arithmetic)
    batch = BatchBuffer(dataset, capacity: rows)
    sums = .allocate(capacity: (1 + loss.measures.count) * ((dataset.count + rows - 1) / rows))
    total =
      dataset.weights.map { weights in (0..<dataset.count).reduce(0) { $0 + Double(weights[$1]) } }
      ?? Double(dataset.count)
    row = .allocate(capacity: dataset.weights == nil ? 0 : 1 + loss.measures.count)
    measuring = task.map { Measuring($0, loss: loss, dataset: dataset, chunkRows: rows) }
  }

  deinit {
    sums.deallocate()
    row.deallocate()
  }

  /// Collective over all ranks.
  package func evaluate(_ parameters: UnsafePointer<Float>) throws(MPIError) -> Evaluation {
    let width = 1 + loss.measures.count
    let chunks = sums.count / width
    sums.update(repeating: 0)
    measuring?.begin()
    for chunk in part(communicator.rank, of: communicator.worldSize, count: chunks) {
      let examples =
        chunk * batch.capacity..<min((chunk + 1) * batch.capacity, dataset.count)
      batch.load(examples: examples)
      let output = network.forward(
        parameters: parameters, input: batch.features, rows: examples.count)
      measuring?.add(
        output, batch.targets, chunk: chunk, rows: examples, columns: network.model.outputCount)
      let columns = network.model.outputCount
      if let weights = batch.weights {
        loss.evaluate(
          output, batch.targets, weights: weights, rows: examples.count, columns: columns,
          into: sums.baseAddress! + chunk * width, row: row)
      } else {
        loss.evaluate(
          output, batch.targets, rows: examples.count, columns: columns,
          into: sums.baseAddress! + chunk * width)
      }
    }
    // Every element has one rank's number and zeros: their sum is exact in any order.
    if communicator.worldSize > 1 { try communicator.allReduce(sums, .sum) }
    func mean(_ column: Int) -> Double {
      stride(from: column, to: sums.count, by: width).reduce(0) { $0 + sums[$1] } / total
    }
    var result = Evaluation(
      loss: mean(0),
      measures: loss.measures.enumerated().map { Evaluation.Measure($1, mean($0 + 1)) })
    try measuring?.complete(&result, over: communicator)
    return result
  }
}
