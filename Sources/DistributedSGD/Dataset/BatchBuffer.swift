// The examples of one forward and backward pass, gathered from the data set.
import CKernels
import DataFormats
import NeuralNet
import System

/// Inputs and targets of at most `capacity` examples, side by side in memory: gathered, or a view of the data set
/// where they are consecutive there.
package final class BatchBuffer {
  package let dataset: Dataset
  package let capacity: Int
  /// Shape (rows of the last `load`, featureCount), with `padding` finite floats behind the last row.
  package var features: UnsafePointer<Float> { loadedFeatures }
  /// Shape (rows of the last `load`, targetCount).
  package var targets: TargetBuffer { loadedTargets }
  /// Shape (rows of the last `load`); nil where all examples count the same.
  package var weights: UnsafePointer<Float>? { loadedWeights }

  // What changes from step to step is private, and goes out by value.
  private var loadedFeatures: UnsafePointer<Float>
  private var loadedTargets: TargetBuffer
  private var loadedWeights: UnsafePointer<Float>?

  /// Shape (capacity, featureCount), and padding.
  private let gathered: UnsafeMutablePointer<Float>
  /// Shape (capacity, targetCount); `Float` or `Int32`, as the data set's targets are.
  private let gatheredTargets: UnsafeMutablePointer<Int32>
  /// Shape (capacity), where examples have weights.
  private let gatheredWeights: UnsafeMutablePointer<Float>?
  private let reader: OrderReader
  /// Shape (capacity): which example is in which row, where no order tells.
  private let indices: UnsafeMutablePointer<Int>

  /// A kernel may read a few floats past a row, so that short rows can be loaded as whole vectors.
  static let padding = 16

  package init(_ dataset: Dataset, capacity: Int) {
    self.dataset = dataset
    self.capacity = max(capacity, 1)
    let floats = self.capacity * dataset.featureCount + Self.padding
    gathered = UnsafeMutableRawPointer.allocate(byteCount: 4 * floats, alignment: 64)
      .bindMemory(to: Float.self, capacity: floats)
    gathered.initialize(repeating: 0, count: floats)
    gatheredTargets = .allocate(capacity: self.capacity * dataset.targetCount)
    gatheredWeights = dataset.weights == nil ? nil : .allocate(capacity: self.capacity)
    reader = OrderReader(maximumCount: self.capacity)
    indices = .allocate(capacity: self.capacity)
    loadedFeatures = UnsafePointer(gathered)
    loadedTargets = dataset.targets(at: UnsafeRawPointer(gatheredTargets))
  }

  deinit {
    gathered.deallocate()
    gatheredTargets.deallocate()
    gatheredWeights?.deallocate()
    indices.deallocate()
  }

  /// Loads the examples at `positions` of an epoch.
  /// - Parameter keepsOrder: whether each must stand in its position's row; if not they are read as a set, in
  ///   whatever order moves least.
  package func load(_ order: EpochOrder, positions: Range<Int>, keepsOrder: Bool = false) {
    precondition(positions.count <= capacity)
    if let examples = order.consecutiveExamples(at: positions, inOrder: keepsOrder) {
      return load(examples: examples)
    }
    gather(reader.examples(of: order, at: positions), positions.count)
  }

  /// Loads consecutive examples, in the data set's own order.
  package func load(examples: Range<Int>) {
    precondition(examples.count <= capacity)
    if case .float32(let source) = dataset.features {
      if let mapping = dataset.mapping {
        let size = 4 * dataset.featureCount
        mapping.willTouch(examples.lowerBound * size..<examples.upperBound * size)
      }
      loadedFeatures = source + examples.lowerBound * dataset.featureCount
      loadedTargets = dataset.targets(
        at: dataset.targetMemory + 4 * examples.lowerBound * dataset.targetCount)
      loadedWeights = dataset.weights.map { $0 + examples.lowerBound }
    } else {
      for i in 0..<examples.count { indices[i] = examples.lowerBound + i }
      gather(indices, examples.count)
    }
  }

  /// Gathers the examples with these numbers.
  package func load(indices examples: ArraySlice<Int>) {
    precondition(examples.count <= capacity)
    for (row, example) in examples.enumerated() { indices[row] = example }
    gather(indices, examples.count)
  }

  private func gather(_ indices: UnsafePointer<Int>, _ rows: Int) {
    let width = dataset.featureCount
    if let mapping = dataset.mapping { announce(indices, rows, to: mapping) }
    let source = dataset.targetMemory.assumingMemoryBound(to: Int32.self)
    switch dataset.features {
    case .float32(let features) where width <= CKERNELS_SHORT_ROW && dataset.targetCount == 1:
      ckernels_gather_short_rows(gathered, gatheredTargets, features, source, indices, rows, width)
    case .float32(let features):
      ckernels_gather_floats(gathered, features, indices, rows, width)
      gatherTargets(source, indices, rows)
    case .uint8(let bytes, let scale):
      ckernels_gather_bytes(gathered, bytes, indices, rows, width, scale)
      gatherTargets(source, indices, rows)
    }
    if let weights = dataset.weights, let gatheredWeights {
      ckernels_gather_floats(gatheredWeights, weights, indices, rows, 1)
      loadedWeights = UnsafePointer(gatheredWeights)
    }
    loadedFeatures = UnsafePointer(gathered)
    loadedTargets = dataset.targets(at: UnsafeRawPointer(gatheredTargets))
  }

  private func gatherTargets(_ source: UnsafePointer<Int32>, _ indices: UnsafePointer<Int>, _ rows: Int) {
    let width = dataset.targetCount
    if width == 1 { return ckernels_gather_targets(gatheredTargets, source, indices, rows) }
    for row in 0..<rows {
      (gatheredTargets + row * width).update(from: source + indices[row] * width, count: width)
    }
  }
}

extension BatchBuffer {
  /// All rows at once, so that a disk may read many of them at a time.
  @inline(never)
  private func announce(_ indices: UnsafePointer<Int>, _ rows: Int, to mapping: MappedFile) {
    var size = dataset.featureCount
    if case .float32 = dataset.features { size *= 4 }
    guard mapping.willTouchScattered(rows, size: size) else { return }
    for row in 0..<rows { mapping.announce(indices[row] * size..<(indices[row] + 1) * size) }
  }
}

extension Dataset {
  /// Targets of this data set's kind at `memory`.
  func targets(at memory: UnsafeRawPointer) -> TargetBuffer {
    classCount == nil
      ? .values(memory.assumingMemoryBound(to: Float.self))
      : .labels(memory.assumingMemoryBound(to: Int32.self))
  }
}
