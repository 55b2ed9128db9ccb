// The layers a model is made of, as values: what they compute stands in Dense.swift and Activation.swift.

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
