// First values of the parameters, each a function of (seed, place in the arena).

/// How parameters are drawn.
public enum Initialization: Sendable {
  /// Weights from N(0, 0.01²), biases 0: the chapter's linear regression.
  case normal
  /// Weights and biases uniform on ±1/√inputs: PyTorch's default for `nn.Linear`.
  case uniform

  /// Fills the arena of `model`; shape (model.parameterCount).
  public func fill(_ parameters: UnsafeMutablePointer<Float>, of model: Sequential, seed: UInt64) {
    let random = Philox(seed: seed, purpose: .initialization)
    var fanIn = model.inputCount
    for tensor in model.tensors {
      let isBias = tensor.shape.count == 1
      if !isBias { fanIn = tensor.shape[1] }
      let bound = 1 / Double(fanIn).squareRoot()
      for index in tensor.range {
        let draw = UInt64(index)
        switch self {
        case .normal: parameters[index] = isBias ? 0 : Float(0.01 * random.normal(draw))
        case .uniform: parameters[index] = Float(bound * (2 * random.uniform(draw) - 1))
        }
      }
    }
  }
}
