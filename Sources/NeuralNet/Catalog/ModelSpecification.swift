// The words by which a user asks for a model: linear, softmax, mlp:256,128, a named net, or a text of layers.

/// A model before the data say how many inputs and outputs it has.
public struct ModelSpecification: Sendable, CustomStringConvertible {
  /// As the user has written it.
  public let description: String
  /// The last may be a dense layer that lacks its number of outputs.
  public let layers: [any Layer]
  /// What the target must be, where the name tells.
  public let targets: TargetKind?
  /// Of an `mlp:…` or a `lenet`.
  public let activation: Activation?

  package static let forms =
    "linear, softmax or logistic, mlp:256,128, lenet, resnet:20, or a text of layers such as 'dense:256 relu dense'"

  /// Layers, the last of which may be a `Dense()` with as many outputs as the data ask for.
  public init(_ layers: [any Layer]) {
    let layers = layers.flatMap { layer -> [any Layer] in
      guard let dense = layer as? Dense, let activation = dense.activation else { return [layer] }
      return [Dense(dense.outputs), activation]
    }
    self.init(layers, layers.map(\.description).joined(separator: " "))
  }

  private init(_ layers: [any Layer], _ text: String) {
    self.layers = layers
    description = text
    targets = nil
    activation = nil
  }

  /// `linear`, `softmax`, `logistic` (another name for it), `mlp:WIDTH,…`, `lenet`, `resnet:DEPTH`, or a text of layers
  /// (`Catalog.layers`).
  /// - Parameter activation: of an `mlp`, relu if it is not said, or of a `lenet`, the sigmoid.
  /// - Throws: `WordError` that names the word at fault.
  public init(_ text: String, activation: Activation? = nil) throws(WordError) {
    let words = try Word.list(parsing: text)
    guard let first = words.first else { throw WordError(text, "there is no layer in it") }
    guard words.count == 1, Self.names.contains(first.name) else {
      var layers: [any Layer] = []
      for word in words {
        do {
          layers.append(try Catalog.layer(word))
        } catch {
          throw words.count == 1 && error.unknown == word.name ? error.naming(Self.names) : error
        }
      }
      self.init(layers, text)
      return
    }
    var reader = try WordReader(first)
    switch first.name {
    case "mlp":
      var widths: [Int] = []
      while let width = try reader.nextCount("a hidden layer's width", in: 1...1_000_000) {
        widths.append(width)
      }
      guard !widths.isEmpty else {
        throw WordError(first.text, "'mlp' takes the widths of its hidden layers, such as mlp:256,128")
      }
      self.init(mlp: widths, activation ?? .relu)
    case "lenet":
      let activation = activation ?? .sigmoid
      self.init(text, Self.lenet(activation), activation)
    case "resnet":
      guard let depth = try reader.nextCount("its depth", in: 8...1_202), depth % 6 == 2 else {
        throw WordError(
          first.text, "a 'resnet' for small pictures has 6n + 2 layers: resnet:20, 32, 44, 56 or 110")
      }
      self.init(text, Self.resnet(blocks: depth / 6), nil)
    case "linear": self = .linear
    default: self = .softmax
    }
    try reader.end()
  }

  private init(_ name: String, _ layers: [any Layer], _ activation: Activation?) {
    (description, self.layers, targets, self.activation) = (name, layers, nil, activation)
  }

  /// One dense layer with one output.
  public static let linear = ModelSpecification("linear", targets: .values)
  /// One dense layer with an output for every class.
  public static let softmax = ModelSpecification("softmax", targets: .classes)

  private init(_ name: String, targets: TargetKind) {
    description = name
    layers = [Dense()]
    self.targets = targets
    activation = nil
  }

  /// Dense layers of these widths, an activation behind each, and a dense layer for the output.
  public init(mlp widths: [Int], _ activation: Activation = .relu) {
    description = "mlp:" + widths.map(String.init).joined(separator: ",")
    layers = widths.flatMap { [Dense($0), activation] as [any Layer] } + [Dense()]
    targets = nil
    self.activation = activation
  }

  private static let names = ["linear", "softmax", "logistic", "mlp", "lenet", "resnet"]

  /// - Throws: `ShapeError` where a layer cannot be where it stands, or the last one's outputs are not `outputs`.
  public func model(input: Shape, outputs: Int) throws(ShapeError) -> Sequential {
    var layers = layers
    layers[layers.count - 1] = layers[layers.count - 1].completed(outputs: outputs)
    let model = try Sequential(layers, input: input)
    guard model.outputCount == outputs else {
      throw ShapeError(
        "its last layer, '\(layers[layers.count - 1])', makes \(model.outputCount) numbers of an example, and the data ask for \(outputs); end it with 'dense'"
      )
    }
    return model
  }

  /// The chapter's N(0, 0.01²) for one layer, PyTorch's default for several.
  public var initialization: Initialization { layers.count == 1 ? .normal : .uniform }
}
