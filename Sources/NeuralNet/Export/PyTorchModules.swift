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
    var isFlat = pictureShape == nil
    for (layer, shape) in zip(layers, inputShapes) {
      if layer is Dense, !isFlat, shape.sizes.count > 1 {
        // In nn.Sequential a layer of its own would flatten, and the names behind it would be others.
        modules.append("FlatLinear(\(shape.count), \((layer as? Dense)?.outputs ?? 1))")
        definitions.append(Dense.flattening)
        isFlat = true
        continue
      }
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

extension Sequential {
  /// The sizes of an example as the modules take it; nil: they take its numbers in a row.
  package var pictureShape: [Int]? {
    let first = layers.first { !($0 is Activation || $0 is Dropout) }
    switch first {
    case is Dense, is Flatten, nil: return nil
    default:
      let sizes = inputShape.sizes
      return first is Convolution && sizes.count == 1 ? [1] + sizes : sizes.count > 1 ? sizes : nil
    }
  }
}

extension Dense {
  fileprivate static let flattening = """
    class FlatLinear(nn.Linear):
        def forward(self, x):
            return super().forward(x.flatten(1))
    """
}

extension Convolution: PyTorchLayer {
  public func module(of shape: Shape) -> String {
    let picture = PictureSize(checked: shape)
    let outputs = channels ?? picture.channels
    var settings = ["\(picture.channels)", "\(outputs)", "\(kernel)"]
    if stride > 1 { settings.append("stride=\(stride)") }
    if padding > 0 { settings.append("padding=\(padding)") }
    if kind == .depthwise { settings.append("groups=\(picture.channels)") }
    if !isBiased { settings.append("bias=False") }
    return "nn.Conv\(kind == .line ? 1 : 2)d(\(settings.joined(separator: ", ")))"
  }
}

extension Pooling: PyTorchLayer {
  public func module(of shape: Shape) -> String {
    let directions = max(1, shape.sizes.count - 1)
    switch kind {
    case .largest: return "nn.MaxPool\(directions)d(\(window), stride=\(stride))"
    case .mean: return "nn.AvgPool\(directions)d(\(window), stride=\(stride))"
    case .meanOfAll: return "nn.Sequential(nn.AdaptiveAvgPool\(directions)d(1), nn.Flatten())"
    }
  }
}

extension Flatten: PyTorchLayer {
  public func module(of shape: Shape) -> String { "nn.Flatten()" }
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
  public func module(of shape: Shape) -> String {
    let kind = shape.sizes.count == 3 ? 2 : 1
    return "nn.BatchNorm\(kind)d(\(shape.sizes[0]), eps=\(epsilon), momentum=\(momentum))"
  }
}

extension LayerNorm: PyTorchLayer {
  public func module(of shape: Shape) -> String {
    "nn.LayerNorm([\(shape.sizes.map(String.init).joined(separator: ", "))], eps=\(epsilon))"
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
            y = super().forward(x)
            if x.shape != y.shape:  # smaller pictures of more channels
                step = -(-x.shape[2] // y.shape[2])
                x = nn.functional.pad(x[:, :, ::step, ::step], (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
            return x + y
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
