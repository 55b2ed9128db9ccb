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
  private let pieceSum: PairwiseSum

  /// - Parameter passes: passes over several pieces that will occur: for each, the row at which each piece starts,
  ///   and the end of the last.
  public init(_ model: Sequential, maximumRows: Int, passes: Set<[Int]> = []) {
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
          dense: DenseProducts(inputs: inputs, outputs: outputs).probed(passes), activation: activation,
          weight: tensors.next()!.offset, bias: tensors.next()!.offset,
          output: .allocate(capacity: max(1, maximumRows * outputs))))
    }
    self.stages = stages
    pieceSum = PairwiseSum(
      maximumLeaves: passes.map { $0.count - 1 }.max() ?? 1,
      capacity: stages.map(\.dense.partialSumLength).max() ?? 0)
    let widest = stages.dropFirst().map(\.dense.inputs).max() ?? 0
    gradients = (
      .allocate(capacity: max(1, maximumRows * widest)), .allocate(capacity: max(1, maximumRows * widest))
    )
  }

  deinit {
    for stage in stages { stage.output.deallocate() }
    gradients.0.deallocate()
    gradients.1.deallocate()
    pieceSum.deallocate()
  }

  /// The model's output for `input` of shape (rows, inputs); shape (rows, outputs), valid until the next call.
  /// The caller may turn it into the gradient of the loss, for `backward`.
  /// - Parameter pieces: the row at which each piece starts, and the end of the last: every piece's rows get the
  ///   bits that they would have without the others.
  public func forward(
    parameters: UnsafePointer<Float>, input: UnsafePointer<Float>, pieces: UnsafeBufferPointer<Int>
  ) -> UnsafeMutablePointer<Float> {
    let rows = pieces[pieces.count - 1]
    precondition(rows <= maximumRows)
    var x = input
    for stage in stages {
      stage.dense.forward(x, weight: parameters + stage.weight, into: stage.output, pieces: pieces)
      Activation.addBiasAndApply(
        stage.activation, to: stage.output, bias: parameters + stage.bias, rows: rows,
        columns: stage.dense.outputs)
      x = UnsafePointer(stage.output)
    }
    return stages[stages.count - 1].output
  }

  /// Gradients of the parameters, from the gradient at the output that the caller has left in `forward`'s
  /// result: the pairwise sum of those of some pieces of its rows.
  /// - Parameters:
  ///   - pieces: as in `forward`.
  ///   - arena: in the layout of the parameters; it is overwritten, or added to if `accumulate`, which goes
  ///     with one piece only.
  public func backward(
    parameters: UnsafePointer<Float>, input: UnsafePointer<Float>, pieces: UnsafeBufferPointer<Int>,
    into arena: UnsafeMutablePointer<Float>, accumulate: Bool = false
  ) {
    let rows = pieces[pieces.count - 1]
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
        x, outputGradient: dy, weight: arena + stage.weight, bias: arena + stage.bias, pieces: pieces,
        sum: pieceSum, accumulate: accumulate)
      // The gradient at the data is of no use to anyone.
      if index == 0 { return }
      stage.dense.inputGradient(
        outputGradient: dy, weight: parameters + stage.weight, into: dx, pieces: pieces)
      dy = dx
      dx = dx == gradients.0 ? gradients.1 : gradients.0
      index -= 1
    }
  }

  /// `forward` for one piece: all `rows`.
  @inline(__always)
  public func forward(
    parameters: UnsafePointer<Float>, input: UnsafePointer<Float>, rows: Int
  ) -> UnsafeMutablePointer<Float> {
    onePiece(rows) { forward(parameters: parameters, input: input, pieces: $0) }
  }

  /// `backward` for one piece: all `rows`.
  @inline(__always)
  public func backward(
    parameters: UnsafePointer<Float>, input: UnsafePointer<Float>, rows: Int,
    into arena: UnsafeMutablePointer<Float>, accumulate: Bool = false
  ) {
    onePiece(rows) {
      backward(parameters: parameters, input: input, pieces: $0, into: arena, accumulate: accumulate)
    }
  }

  @inline(__always)
  private func onePiece<Result>(_ rows: Int, _ body: (UnsafeBufferPointer<Int>) -> Result) -> Result {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 2) { bounds in
      bounds[0] = 0
      bounds[1] = rows
      return body(UnsafeBufferPointer(bounds))
    }
  }
}
