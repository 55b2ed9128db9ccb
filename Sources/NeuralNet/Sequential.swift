// A model as a list of layers, and where each parameter lies in the flat arena that holds them all.

/// A parameter tensor's place in the arena.
public struct ParameterTensor: Sendable, Equatable {
  /// As PyTorch's `nn.Sequential` names it: layer index and `weight` or `bias`.
  public let name: String
  /// `[outputs, inputs]` for a weight, `[outputs]` for a bias.
  public let shape: [Int]
  /// First float in the arena.
  public let offset: Int

  public var count: Int { shape.reduce(1, *) }
  public var range: Range<Int> { offset..<offset + count }
}

/// Layers applied one after the other. The layers hold no numbers: parameters and gradients are two
/// arenas of `parameterCount` floats each, laid out by `tensors`, without gaps.
public struct Sequential: Sendable, Equatable {
  public let layers: [Layer]
  public let tensors: [ParameterTensor]
  public let inputCount: Int
  public let outputCount: Int

  /// - Precondition: the first and the last layer are dense, and each takes what the one before it gives.
  public init(_ layers: [Layer]) {
    guard case .dense(let inputs, _)? = layers.first else { preconditionFailure("a model starts dense") }
    guard case .dense? = layers.last else {
      preconditionFailure("a model ends dense: the loss does the rest")
    }
    var tensors: [ParameterTensor] = []
    var offset = 0
    var width = inputs
    for (index, layer) in layers.enumerated() {
      guard case .dense(let inputs, let outputs) = layer else { continue }
      precondition(inputs == width, "layer \(index) takes \(inputs) inputs but gets \(width)")
      for (name, shape) in [("weight", [outputs, inputs]), ("bias", [outputs])] {
        let tensor = ParameterTensor(name: "\(index).\(name)", shape: shape, offset: offset)
        tensors.append(tensor)
        offset += tensor.count
      }
      width = outputs
    }
    self.layers = layers
    self.tensors = tensors
    inputCount = inputs
    outputCount = width
  }

  /// Dense layers, each taking what the one before it gives: `Sequential(inputs: 784, Dense(256, .relu), Dense(10))`.
  public init(inputs: Int, _ dense: Dense...) {
    self.init(inputs: inputs, dense)
  }

  public init(inputs: Int, _ dense: [Dense]) {
    var layers: [Layer] = []
    var width = inputs
    for layer in dense {
      layers.append(.dense(inputs: width, outputs: layer.outputs))
      if let activation = layer.activation { layers.append(.activation(activation)) }
      width = layer.outputs
    }
    self.init(layers)
  }

  public var parameterCount: Int { tensors.last.map(\.range.upperBound) ?? 0 }

  /// Multiplications and additions of one forward pass over one example, in products alone.
  public var forwardOperations: Int {
    layers.reduce(0) { sum, layer in
      if case .dense(let inputs, let outputs) = layer { sum + 2 * inputs * outputs } else { sum }
    }
  }
}
