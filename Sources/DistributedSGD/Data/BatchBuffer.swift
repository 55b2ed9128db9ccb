// The examples of one forward and backward pass, gathered from the data set.
import NeuralNet

/// Inputs and targets of at most `capacity` examples, side by side in memory.
public final class BatchBuffer {
  public let dataset: Dataset
  public let capacity: Int
  /// Shape (capacity, featureCount)
  public let features: UnsafeMutablePointer<Float>
  /// Shape (capacity); `Float` or `Int32`, as the data set's targets are.
  private let targetMemory: UnsafeMutablePointer<Int32>
  /// Shape (capacity): which example is in which row.
  private let indices: UnsafeMutablePointer<Int>

  public init(_ dataset: Dataset, capacity: Int) {
    self.dataset = dataset
    self.capacity = max(capacity, 1)
    let floats = self.capacity * dataset.featureCount
    features = UnsafeMutableRawPointer.allocate(byteCount: 4 * max(floats, 1), alignment: 64)
      .assumingMemoryBound(to: Float.self)
    targetMemory = .allocate(capacity: self.capacity)
    indices = .allocate(capacity: self.capacity)
  }

  deinit {
    features.deallocate()
    targetMemory.deallocate()
    indices.deallocate()
  }

  public var targets: TargetBuffer {
    dataset.classCount == nil
      ? .values(UnsafeRawPointer(targetMemory).assumingMemoryBound(to: Float.self))
      : .labels(targetMemory)
  }

  /// Gathers the examples at `positions` of an epoch.
  public func load(_ order: EpochOrder, positions: Range<Int>) {
    precondition(positions.count <= capacity)
    order.fill(indices, positions: positions)
    gather(positions.count)
  }

  /// Gathers consecutive examples, in the data set's own order.
  public func load(examples: Range<Int>) {
    precondition(examples.count <= capacity)
    for (i, example) in examples.enumerated() { indices[i] = example }
    gather(examples.count)
  }

  private func gather(_ rows: Int) {
    let width = dataset.featureCount
    switch dataset.features {
    case .float32(let source):
      for row in 0..<rows {
        let from = source + indices[row] * width
        let to = features + row * width
        if width <= 16 {
          for j in 0..<width { to[j] = from[j] }
        } else {
          to.update(from: from, count: width)
        }
      }
    case .uint8(let source, let scale):
      for row in 0..<rows {
        let from = source + indices[row] * width
        let to = features + row * width
        for j in 0..<width { to[j] = Float(from[j]) * scale }
      }
    }
    dataset.gatherTargets(indices, count: rows, into: targetMemory)
  }
}

extension Dataset {
  /// Copies the targets of the examples `indices`; four bytes each, whatever they mean.
  @inline(__always)
  func gatherTargets(_ indices: UnsafePointer<Int>, count: Int, into buffer: UnsafeMutablePointer<Int32>) {
    let source = targets.assumingMemoryBound(to: Int32.self)
    for row in 0..<count { buffer[row] = source[indices[row]] }
  }
}
