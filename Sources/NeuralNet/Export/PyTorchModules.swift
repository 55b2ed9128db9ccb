// The layers of the catalogue as PyTorch's modules, for programs that make the same nn.Sequential.

/// A layer that PyTorch has, or that some lines of Python make. For one of your own: `extension Mine: PyTorchLayer { … }`.
public protocol PyTorchLayer: Layer {
  /// The module as Python's text, on inputs of shape (examples, shape.count): `nn.Linear(5, 1)`.
  /// - Throws: `ExportError` where a layer within it has none.
  func module(of shape: Shape) throws(ExportError) -> String
  /// Classes that the text needs beside `torch` and `nn`, as lines of Python; empty where there are none.
  var definition: String { get }
}

extension PyTorchLayer {
  public var definition: String { "" }
}

extension Sequential {
  /// The layers as the arguments of `nn.Sequential`, and the classes that they need, each once.
  /// - Throws: `ExportError` that names the layer which PyTorch does not have.
  public func modules() throws(ExportError) -> (modules: [String], definitions: [String]) {
    var (modules, definitions): ([String], [String]) = ([], [])
    for (layer, shape) in zip(layers, inputShapes) {
      guard let layer = layer as? any PyTorchLayer else {
        throw ExportError(
          "the layer '\(layer)' is none of PyTorch's: a program that has it can say which it is (PyTorchLayer)"
        )
      }
      modules.append(try layer.module(of: shape))
      if !layer.definition.isEmpty, !definitions.contains(layer.definition) {
        definitions.append(layer.definition)
      }
    }
    return (modules, definitions)
  }
}

extension Dense: PyTorchLayer {
  public func module(of shape: Shape) -> String { "nn.Linear(\(shape.count), \(outputs ?? 1))" }
}

extension Activation: PyTorchLayer {
  public func module(of shape: Shape) -> String {
    switch self {
    case .relu: "nn.ReLU()"
    case .sigmoid: "nn.Sigmoid()"
    case .tanh: "nn.Tanh()"
    case .gelu: "nn.GELU()"
    }
  }
}

extension BatchNorm: PyTorchLayer {
  /// Of channels with several numbers a class that finds them also where an example is one row.
  public func module(of shape: Shape) -> String {
    let type = shape.count == shape.sizes[0] ? "nn.BatchNorm1d" : "BatchNorm"
    return "\(type)(\(shape.sizes[0]), eps=\(epsilon), momentum=\(momentum))"
  }

  public var definition: String {
    """
    class BatchNorm(nn.BatchNorm1d):
        def forward(self, x):
            return super().forward(x.reshape(len(x), self.num_features, -1)).reshape(x.shape)
    """
  }
}

extension LayerNorm: PyTorchLayer {
  public func module(of shape: Shape) -> String {
    let type = shape.sizes.count == 1 ? "nn.LayerNorm" : "LayerNorm"
    return "\(type)([\(shape.sizes.map(String.init).joined(separator: ", "))], eps=\(epsilon))"
  }

  public var definition: String {
    """
    class LayerNorm(nn.LayerNorm):
        def forward(self, x):
            return super().forward(x.reshape(len(x), *self.normalized_shape)).reshape(x.shape)
    """
  }
}

extension Dropout: PyTorchLayer {
  public func module(of shape: Shape) -> String { "nn.Dropout(\(rate))" }
}

extension Residual: PyTorchLayer {
  public func module(of shape: Shape) throws(ExportError) -> String {
    guard let block = try? Sequential(layers, input: shape) else {
      preconditionFailure("a model checks its shapes before anything else is asked")
    }
    return "Residual(\(try block.modules().modules.joined(separator: ", ")))"
  }

  public var definition: String {
    """
    class Residual(nn.Sequential):
        def forward(self, x):
            return x + super().forward(x)
    """
  }
}

/// A loss of classes whose probabilities PyTorch can compute.
public protocol PyTorchLoss: Loss {
  /// Of the model's output `y`, shape (examples, outputs), as Python's text; shape (examples, classes).
  var probabilitiesOfY: String { get }
}

extension CrossEntropy: PyTorchLoss {
  public var probabilitiesOfY: String { "y.softmax(1)" }
}

extension BinaryCrossEntropy: PyTorchLoss {
  public var probabilitiesOfY: String { "torch.cat([1 - y.sigmoid(), y.sigmoid()], 1)" }
}
