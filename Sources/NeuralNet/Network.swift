// A model made ready to run: dense layers fused with the activation behind them, and every buffer of a
// forward and backward pass allocated once.

/// Runs a `Sequential` on at most `maximumRows` examples at a time. Parameters and gradients belong to the
/// caller, who passes their arenas to every call.
public final class Network {
  /// A dense layer with the activation that follows it.
  private struct Stage {
    let dense: DenseProducts
    let activation: Activation?
    let weight: Int
    let bias: Int
    /// (maximumRows, outputs)
    let output: UnsafeMutablePointer<Float>
  }

  public let model: Sequential
  public let maximumRows: Int
  private let stages: [Stage]
  /// Two buffers of (maximumRows, widest hidden layer): the gradients at a stage's output and its input.
  private let gradients: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>)

  public init(_ model: Sequential, maximumRows: Int) {
    self.model = model
    self.maximumRows = maximumRows
    var stages: [Stage] = []
    var tensors = model.tensors.makeIterator()
    for (index, layer) in model.layers.enumerated() {
      guard case .dense(let inputs, let outputs) = layer else { continue }
      var activation: Activation?
      if index + 1 < model.layers.count, case .activation(let next) = model.layers[index + 1] {
        activation = next
      }
      stages.append(
        Stage(
          dense: DenseProducts(inputs: inputs, outputs: outputs), activation: activation,
          weight: tensors.next()!.offset, bias: tensors.next()!.offset,
          output: .allocate(capacity: max(1, maximumRows * outputs))))
    }
    self.stages = stages
    let widest = stages.dropFirst().map(\.dense.inputs).max() ?? 0
    gradients = (
      .allocate(capacity: max(1, maximumRows * widest)), .allocate(capacity: max(1, maximumRows * widest))
    )
  }

  deinit {
    for stage in stages { stage.output.deallocate() }
    gradients.0.deallocate()
    gradients.1.deallocate()
  }

  /// The model's output for `input` of shape (rows, inputs); shape (rows, outputs), valid until the next call.
  /// The caller may turn it into the gradient of the loss, for `backward`.
  public func forward(
    parameters: UnsafePointer<Float>, input: UnsafePointer<Float>, rows: Int
  ) -> UnsafeMutablePointer<Float> {
    precondition(rows <= maximumRows)
    var x = input
    for stage in stages {
      stage.dense.forward(x, weight: parameters + stage.weight, into: stage.output, rows: rows)
      Activation.addBiasAndApply(
        stage.activation, to: stage.output, bias: parameters + stage.bias, rows: rows,
        columns: stage.dense.outputs)
      x = UnsafePointer(stage.output)
    }
    return stages[stages.count - 1].output
  }

  /// Gradients of the parameters, from the gradient at the output that the caller has left in `forward`'s
  /// result. `into` has the layout of the parameters; it is overwritten, or added to if `accumulate`.
  public func backward(
    parameters: UnsafePointer<Float>, input: UnsafePointer<Float>, rows: Int,
    into arena: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    var dy = stages[stages.count - 1].output
    var dx = gradients.0
    var index = stages.count - 1
    while true {
      let stage = stages[index]
      if let activation = stage.activation {
        Activation.multiplyByDerivative(
          of: activation, dy, output: stage.output, count: rows * stage.dense.outputs)
      }
      let x = index == 0 ? input : UnsafePointer(stages[index - 1].output)
      stage.dense.parameterGradients(
        x, outputGradient: dy, weight: arena + stage.weight, bias: arena + stage.bias, rows: rows,
        accumulate: accumulate)
      // The gradient at the data is of no use to anyone.
      if index == 0 { return }
      stage.dense.inputGradient(
        outputGradient: dy, weight: parameters + stage.weight, into: dx, rows: rows)
      dy = dx
      dx = dx == gradients.0 ? gradients.1 : gradients.0
      index -= 1
    }
  }
}
