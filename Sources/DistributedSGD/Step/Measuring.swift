// Measures beside the loss, over the chunks of an evaluation: what each family keeps of them, of all ranks.
import MPI
import NeuralNet

/// The families of measures that have something to say of a task, and what they have kept.
final class Measuring {
  /// Whole numbers in any order, sums of each chunk, and a number of each row.
  private struct Kept {
    let family: any MeasureFamily
    /// Shape (counts)
    let counts: UnsafeMutableBufferPointer<Int>
    /// Shape (chunks, sums)
    let sums: UnsafeMutableBufferPointer<Double>
    /// Shape (examples), or nothing.
    let scores: UnsafeMutableBufferPointer<Float>
  }

  private let kept: [Kept]
  private let loss: any Loss
  private let dataset: Dataset
  private let classCount: Int
  private let weights: MeasureWeights
  /// Shape (chunkRows, classes)
  private let probabilities: UnsafeMutablePointer<Float>
  /// Shape (chunkRows)
  private let classes: UnsafeMutablePointer<Int32>

  init(_ task: MeasuredTask, loss: any Loss, dataset: Dataset, chunkRows: Int) {
    self.loss = loss
    self.dataset = dataset
    classCount = task.classCount ?? 0
    weights = MeasureWeights(dataset.weights, count: dataset.count)
    probabilities = .allocate(capacity: max(1, chunkRows * classCount))
    classes = .allocate(capacity: chunkRows)
    classes.initialize(repeating: 0, count: chunkRows)
    let chunks = (dataset.count + chunkRows - 1) / chunkRows
    kept = Catalog.measures.compactMap { $0.init(task) }.map { family in
      Kept(
        family: family, counts: .allocate(capacity: family.counts),
        sums: .allocate(capacity: chunks * family.sums),
        scores: .allocate(capacity: family.keepsScores ? dataset.count : 0))
    }
  }

  deinit {
    for part in kept {
      part.counts.deallocate()
      part.sums.deallocate()
      part.scores.deallocate()
    }
    probabilities.deallocate()
    classes.deallocate()
  }

  func begin() {
    for part in kept {
      part.counts.update(repeating: 0)
      part.sums.update(repeating: 0)
      part.scores.update(repeating: 0)
    }
  }

  /// - Parameters:
  ///   - output: shape (rows, columns)
  ///   - rows: the chunk's, among all examples.
  func add(
    _ output: UnsafePointer<Float>, _ targets: TargetBuffer, chunk: Int, rows: Range<Int>, columns: Int
  ) {
    if classCount > 0 {
      for row in 0..<rows.count {
        let z = UnsafeBufferPointer(start: output + row * columns, count: columns)
        classes[row] = Int32(loss.predictedClass(z))
        let p = loss.probabilities(z)
        for j in 0..<classCount { probabilities[row * classCount + j] = p[j] }
      }
    }
    let measured = MeasuredRows(
      count: rows.count, predictions: classCount > 0 ? UnsafePointer(probabilities) : output,
      classes: classes, targets: targets, weights: weights.dropFirst(rows.lowerBound))
    for part in kept {
      part.family.add(
        measured, counts: part.counts.start, sums: part.sums.start + chunk * part.family.sums,
        scores: part.scores.start + (part.scores.isEmpty ? 0 : rows.lowerBound))
    }
  }

  /// Adds up over ranks. Collective.
  func complete(_ result: inout Evaluation, over communicator: any Communicator) throws(MPIError) {
    for part in kept {
      if communicator.worldSize > 1 {
        try communicator.allReduce(part.counts, .sum)
        // Of the rest every element has one rank's number and zeros.
        try communicator.allReduce(part.sums, .sum)
        try communicator.allReduce(part.scores, .sum)
      }
      let width = part.family.sums
      let sums = (0..<width).map { column in
        stride(from: column, to: part.sums.count, by: width).reduce(0) { $0 + part.sums[$1] }
      }
      let totals = MeasureTotals(
        examples: dataset.count, loss: result.loss, counts: Array(part.counts), sums: sums,
        scores: Array(part.scores), targets: dataset.targets(at: dataset.targetMemory), weights: weights)
      for told in part.family.results(totals) {
        if case .value(let name, let value) = told {
          result.measures.append(Evaluation.Measure(name, value))
        } else {
          result.tables.append(told)
        }
      }
    }
  }
}

extension UnsafeMutableBufferPointer {
  /// An address, also where there is nothing.
  fileprivate var start: UnsafeMutablePointer<Element> {
    baseAddress ?? UnsafeMutablePointer(bitPattern: MemoryLayout<Element>.alignment)!
  }
}
