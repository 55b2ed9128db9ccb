// The layers a model is made of, as values: what they compute stands in DenseProducts.swift and Activation.swift.

/// One layer, with the sizes of one example's input and output.
public enum Layer: Sendable, Equatable {
  /// y = W·x + b, with W of shape (outputs, inputs) as in PyTorch's `nn.Linear`.
  case dense(inputs: Int, outputs: Int)
  case activation(Activation)
}

/// A function applied to every element.
public enum Activation: String, Sendable, CaseIterable {
  case relu, sigmoid, tanh
}

/// A dense layer as one writes it down: its width, and the activation behind it. The layer before it tells how
/// many inputs it has.
public struct Dense: Sendable {
  public let outputs: Int
  public let activation: Activation?

  public init(_ outputs: Int, _ activation: Activation? = nil) {
    self.outputs = outputs
    self.activation = activation
  }
}
