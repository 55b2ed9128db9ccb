// A whole batch computed in double precision at once, for layers whose output for an example depends on the others.
import DataFormats
import NeuralNet

/// A `Sequential` in training on one batch, layer by layer over all its examples.
public struct DoubleBatch {
  public let model: Sequential
  /// Laid out by `model.tensors`.
  public var parameters: [Double]
  /// How many examples each shard has, for layers that average over one; nil: the batch is one.
  public var shards: [Int]?

  public init(_ model: Sequential, _ parameters: [Double], shards: [Int]? = nil) {
    self.model = model
    self.parameters = parameters
    self.shards = shards
  }

  /// The output for each row.
  public func forward(_ inputs: [[Double]]) throws -> [[Double]] {
    var measured: [Int: [Double]] = [:]
    return try forward(inputs, &measured)
  }

  /// What batch norms measure of a batch, by the places in the arena where their running statistics are.
  public func statistics(_ examples: [DoubleExample]) throws -> [Int: [Double]] {
    var measured: [Int: [Double]] = [:]
    _ = try forward(examples.map(\.inputs), &measured)
    return measured
  }

  private func forward(_ inputs: [[Double]], _ measured: inout [Int: [Double]]) throws -> [[Double]] {
    var offset = 0
    return try forward(model.layers, model.inputShape, inputs, &offset, &measured)
  }

  private func forward(
    _ layers: [any Layer], _ inputShape: Shape, _ inputs: [[Double]], _ offset: inout Int,
    _ measured: inout [Int: [Double]]
  ) throws -> [[Double]] {
    var rows = inputs
    var shape = inputShape
    for layer in layers {
      let width = rows[0].count
      switch layer {
      case is Center:
        let weight = parameters[offset..<offset + width]
        offset += width
        let means = (0..<width).map { j in rows.reduce(0) { $0 + $1[j] } / Double(rows.count) }
        rows = rows.map { row in zip(weight, zip(row, means)).map { $0 * ($1.0 - $1.1) } }
      case let norm as BatchNorm:
        rows = normalised(rows, norm, channels: shape.sizes[0], offset, &measured)
        offset += 4 * shape.sizes[0]
      case let block as Residual:
        let inner = try forward(block.layers, shape, rows, &offset, &measured)
        rows = zip(rows, inner).map { zip($0, $1).map { $0 + $1 } }
      default:
        let alone = try Sequential([layer], input: shape)
        let network = DoubleNetwork(alone, Array(parameters[offset..<offset + alone.parameterCount]))
        offset += alone.parameterCount
        rows = rows.map { network.forward($0).last! }
      }
      shape = try layer.output(of: shape)
    }
    return rows
  }

  /// Each channel of each group of rows with mean 0 and variance 1, times γ, and β.
  private func normalised(
    _ rows: [[Double]], _ norm: BatchNorm, channels: Int, _ offset: Int, _ measured: inout [Int: [Double]]
  ) -> [[Double]] {
    var result = rows
    var start = 0
    var statistics = [Double](repeating: 0, count: 2 * channels)
    let size = rows[0].count / channels
    for count in (norm.span == .global ? nil : shards) ?? [rows.count] {
      let group = start..<start + count
      start += count
      for c in 0..<channels {
        let places = c * size..<(c + 1) * size
        let values = group.flatMap { rows[$0][places] }
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let part = Double(count) / Double(rows.count)
        statistics[c] += part * mean
        // One number leaves the running variance as it is.
        statistics[channels + c] +=
          part
          * (values.count > 1
            ? squares / Double(values.count - 1) : parameters[offset + 3 * channels + c])
        let deviation = (squares / Double(values.count) + norm.epsilon).squareRoot()
        for row in group {
          for i in places {
            result[row][i] =
              (rows[row][i] - mean) / deviation * parameters[offset + c] + parameters[offset + channels + c]
          }
        }
      }
    }
    measured[offset + 2 * channels] = statistics
    return result
  }

  public func meanLoss(_ loss: any Loss, _ examples: [DoubleExample]) throws -> Double {
    let network = DoubleNetwork(model, parameters)
    return zip(examples, try forward(examples.map(\.inputs))).reduce(0) {
      $0 + network.loss(loss, output: $1.1, target: $1.0.target).value
    } / Double(examples.count)
  }

  /// The gradient of the mean loss, by central differences.
  public func differences(
    _ loss: any Loss, _ examples: [DoubleExample], step: Double = 1e-5
  ) throws -> [Double] {
    var moved = self
    return try parameters.indices.map { index in
      moved.parameters[index] = parameters[index] + step
      let above = try moved.meanLoss(loss, examples)
      moved.parameters[index] = parameters[index] - step
      let below = try moved.meanLoss(loss, examples)
      moved.parameters[index] = parameters[index]
      return (above - below) / (2 * step)
    }
  }
}
