// The dense layer: y = W·x + b. What it computes stands in DenseProducts.swift.

/// y = W·x + b over all numbers of an example, with W of shape (outputs, inputs) as in PyTorch's `nn.Linear`.
public struct Dense: Layer, Equatable {
  public static let names = ["dense"]
  public static let form = "dense:256"

  /// nil: as many as the data ask for, at the end of a model.
  public let outputs: Int?
  /// An activation that follows; written as a layer of its own.
  let activation: Activation?

  /// - Precondition: `outputs` is at least 1.
  public init(_ outputs: Int? = nil, _ activation: Activation? = nil) {
    precondition(outputs.map { $0 >= 1 } ?? true, "a dense layer has an output")
    self.outputs = outputs
    self.activation = activation
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    outputs = try reader.nextCount("the number of outputs", in: 1...1_000_000)
    activation = nil
    try reader.end()
  }

  public var description: String { outputs.map { "dense:\($0)" } ?? "dense" }

  public func completed(outputs: Int) -> Dense { Dense(self.outputs ?? outputs) }

  public func output(of input: Shape) throws(ShapeError) -> Shape {
    guard let outputs else {
      throw ShapeError("'dense' without a number of outputs can only be the last layer; write dense:256")
    }
    return Shape(outputs)
  }

  public func tensors(of input: Shape) -> [TensorRequest] {
    let outputs = outputs ?? 1
    return [
      TensorRequest("weight", shape: [outputs, input.count], role: .weight(fanIn: input.count)),
      TensorRequest("bias", shape: [outputs], role: .bias(fanIn: input.count)),
    ]
  }

  public func forwardOperations(of input: Shape) -> Int { 2 * input.count * (outputs ?? 1) }

  public func prepared(_ place: LayerPlace) -> any LayerPass {
    DensePass(
      DenseProducts(
        inputs: place.input.count, outputs: outputs ?? 1,
        chains: (place.products as? PortableProducts)?.chains),
      place)
  }
}

/// A dense layer by itself. A `Chain` takes its products, and runs them together with the activation behind them.
final class DensePass: LayerPass, PieceSumming {
  let products: DenseProducts
  /// Whose memory `products` uses.
  private let owner: any MatrixProducts
  /// The first floats of W and b in the arena.
  let weight, bias: Int

  init(_ products: DenseProducts, _ place: LayerPlace) {
    owner = place.products
    owner.reserve(inner: max(products.inputs, products.outputs, place.maximumRows))
    self.products = products.probed(place.passes, waitingPasses: place.waitingPasses)
    (weight, bias) = (place.offsets[0], place.offsets[1])
  }

  var partialSumLength: Int { products.partialSumLength }

  func forward(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass
  ) {
    guard let x = x.baseAddress, let y = y.baseAddress else { return }
    products.forward(x, weight: pass.parameters + weight, into: y, pieces: pass.pieces)
    Activation.addBiasAndApply(
      nil, to: y, bias: pass.parameters + bias, rows: pass.rows, columns: products.outputs,
      instructions: nil)
  }

  func backward(
    _ dy: UnsafeBufferPointer<Float>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>?, _ pass: borrowing Pass, gradient: borrowing GradientSum
  ) {
    guard let x = x.baseAddress, let dy = dy.baseAddress else { return }
    for target in gradient.targets {
      products.parameterGradients(
        x, outputGradient: dy, weight: target.arena + weight, bias: target.arena + bias,
        pieces: target.pieces, sum: gradient.sum, accumulate: gradient.accumulates)
    }
    guard let dx = dx?.baseAddress else { return }
    products.inputGradient(
      outputGradient: dy, weight: pass.parameters + weight, into: dx, pieces: pass.pieces)
  }
}
