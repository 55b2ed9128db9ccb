// A model as a list of layers, and where each parameter lies in the flat arena that holds them all.
import CKernels

/// A parameter tensor's place in the arena.
public struct ParameterTensor: Sendable, Equatable {
  /// As PyTorch's `nn.Sequential` names it: layer index and `weight` or `bias`.
  public let name: String
  /// `[outputs, inputs]` for a dense layer's weight, `[outputs]` for its bias.
  public let shape: [Int]
  /// First float in the arena.
  public let offset: Int
  /// What it is for.
  public let role: TensorRequest.Role

  /// Floats.
  public var count: Int { shape.reduce(1, *) }
  /// Its place in the arena.
  public var range: Range<Int> { offset..<offset + count }
}

/// Layers applied one after the other. The layers hold no numbers: parameters and gradients are two
/// arenas of `parameterCount` floats each, laid out by `tensors`, without gaps.
public struct Sequential: Sendable {
  /// From the input to the output.
  public let layers: [any Layer]
  /// In the order of the arena.
  public let tensors: [ParameterTensor]
  /// Of one example.
  public let inputShape: Shape
  /// Of one example.
  public let outputShape: Shape
  /// Of each layer.
  let inputShapes: [Shape]

  /// - Throws: `ShapeError` where a layer cannot take what the one before it gives.
  public init(_ layers: [any Layer], input: Shape) throws(ShapeError) {
    guard !layers.isEmpty else { throw ShapeError("a model needs a layer") }
    var tensors: [ParameterTensor] = []
    var shapes: [Shape] = []
    var offset = 0
    var shape = input
    for (index, layer) in layers.enumerated() {
      shapes.append(shape)
      let output = try layer.output(of: shape)
      for request in layer.tensors(of: shape) {
        let tensor = ParameterTensor(
          name: "\(index).\(request.name)", shape: request.shape, offset: offset, role: request.role)
        tensors.append(tensor)
        offset += tensor.count
      }
      shape = output
    }
    self.layers = layers
    self.tensors = tensors
    inputShape = input
    outputShape = shape
    inputShapes = shapes
  }

  /// Dense layers, each taking what the one before it gives: `Sequential(inputs: 784, Dense(256, .relu), Dense(10))`.
  /// - Precondition: there is a layer, and each says how many outputs it has.
  public init(inputs: Int, _ dense: Dense...) {
    let layers = dense.flatMap { layer -> [any Layer] in
      [Dense(layer.outputs)] + (layer.activation.map { [$0] } ?? [])
    }
    do {
      self = try Sequential(layers, input: Shape(inputs))
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// Numbers behind each layer, of one example.
  public var outputCounts: [Int] { inputShapes.dropFirst().map(\.count) + [outputShape.count] }
  /// Numbers of one example's input.
  public var inputCount: Int { inputShape.count }
  /// Numbers of one example's output.
  public var outputCount: Int { outputShape.count }
  /// n, floats in the arena.
  public var parameterCount: Int { tensors.last.map(\.range.upperBound) ?? 0 }
  /// Those that are learned: without statistics.
  public var trainedCount: Int { tensors.filter(\.role.isTrained).reduce(0) { $0 + $1.count } }

  /// The text of layers, from which an equal model can be made.
  public var text: String { layers.map(\.description).joined(separator: " ") }

  package var needsOrder: Bool { layers.contains { $0.needsOrder } }
  package var needsGlobalBatch: Bool { layers.contains { $0.needsGlobalBatch } }
  package var leastRows: LeastRows {
    zip(layers, inputShapes).reduce(LeastRows()) { $0.and($1.0.leastRows(of: $1.1)) }
  }

  /// Multiplications and additions of one forward pass over one example, in products alone.
  public var forwardOperations: Int {
    zip(layers, inputShapes).reduce(0) { $0 + $1.0.forwardOperations(of: $1.1) }
  }

  /// Multiplications and additions of the products of one example's forward and backward pass; the gradient at
  /// the data is not computed.
  public var trainingOperations: Int {
    3 * forwardOperations - layers[0].forwardOperations(of: inputShape)
  }

  /// The products of its dense layers, from the first to the last.
  package func denseProducts(_ products: BLASProducts.Type) -> [DenseProducts] {
    zip(layers, inputShapes).compactMap { layer, input in
      (layer as? Dense).map {
        DenseProducts(inputs: input.count, outputs: $0.outputs ?? 1)
      }
    }
  }
}

extension Sequential {
  /// Whether some product of it is BLAS's; a single output of few inputs is a loop of our own.
  package var usesBLAS: Bool { tensors.count > 2 || outputCount > 1 || inputCount > Int(CKERNELS_SHORT_ROW) }
}
