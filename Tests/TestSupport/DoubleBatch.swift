// A whole batch computed in double precision at once, for layers whose output for an example depends on the others.
import DataFormats
import NeuralNet

/// A `Sequential` in training on one batch, layer by layer over all its examples.
public struct DoubleBatch {
  public let model: Sequential
  /// Laid out by `model.tensors`.
  public var parameters: [Double]

  public init(_ model: Sequential, _ parameters: [Double]) {
    self.model = model
    self.parameters = parameters
  }

  /// The output for each row.
  public func forward(_ inputs: [[Double]]) throws -> [[Double]] {
    var offset = 0
    return try forward(model.layers, inputs, &offset)
  }

  private func forward(
    _ layers: [any Layer], _ inputs: [[Double]], _ offset: inout Int
  ) throws -> [[Double]] {
    var rows = inputs
    for layer in layers {
      let width = rows[0].count
      switch layer {
      case is Center:
        let weight = parameters[offset..<offset + width]
        offset += width
        let means = (0..<width).map { j in rows.reduce(0) { $0 + $1[j] } / Double(rows.count) }
        rows = rows.map { row in zip(weight, zip(row, means)).map { $0 * ($1.0 - $1.1) } }
      case let block as Residual:
        rows = zip(rows, try forward(block.layers, rows, &offset)).map { zip($0, $1).map { $0 + $1 } }
      default:
        let alone = try Sequential([layer], input: Shape(width))
        let network = DoubleNetwork(alone, Array(parameters[offset..<offset + alone.parameterCount]))
        offset += alone.parameterCount
        rows = rows.map { network.forward($0).last! }
      }
    }
    return rows
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
