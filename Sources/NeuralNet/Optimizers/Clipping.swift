// Gradients that are too large, made smaller before an update.

/// What is done to the gradient of a batch's mean loss before the optimizer sees it, weight decay included.
public enum Clipping: Sendable, Equatable {
  /// Times min(1, limit/(‖g‖ + 10⁻⁶)), ‖g‖ over all parameters: PyTorch's `clip_grad_norm_` (Pascanu et al. 2013).
  case norm(Double)
  /// Each element into ±limit: PyTorch's `clip_grad_value_`.
  case value(Double)

  /// What a gradient of this norm is multiplied by; no number where the norm is none.
  package static func coefficient(limit: Double, norm: Double) -> Float {
    let coefficient = limit / (norm + 1e-6)
    return coefficient > 1 ? 1 : Float(coefficient)
  }
}
