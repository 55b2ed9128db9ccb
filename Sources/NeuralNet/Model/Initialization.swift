// First values of the parameters, each a function of (seed, place in the arena).
import RandomNumbers

/// How parameters are drawn.
public enum Initialization: Sendable {
  /// Weights from N(0, 0.01²), biases 0: the chapter's linear regression.
  case normal
  /// Weights and biases uniform on ±1/√inputs: PyTorch's default for `nn.Linear`.
  case uniform

  /// Fills the arena of `model`; shape (model.parameterCount). Factors begin as 1, what
  /// is added to them as 0.
  public func fill(_ parameters: UnsafeMutablePointer<Float>, of model: Sequential, seed: UInt64) {
    let random = Philox(seed: seed, purpose: .initialization)
    for tensor in model.tensors {
      for index in tensor.range {
        let draw = UInt64(index)
        switch (tensor.role, self) {
        case (.scale, _): parameters[index] = 1
        case (.statistic(_, let initial), _): parameters[index] = initial
        case (.shift, _), (.bias, .normal): parameters[index] = 0
        case (.weight, .normal): parameters[index] = Float(0.01 * random.normal(draw))
        case (.weight(let fanIn), .uniform), (.bias(let fanIn), .uniform):
          let bound = 1 / Double(fanIn).squareRoot()
          parameters[index] = Float(bound * (2 * random.uniform(draw) - 1))
        }
      }
    }
  }
}
