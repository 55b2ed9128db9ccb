/// Tensors that weight decay is often not wanted for, by their role: `--no-decay-for`'s values.
public enum DecayExemption: String, Sendable, CaseIterable {
  /// What is added to a layer's sums.
  case bias
  /// Factors, and what is added to what they have scaled: those of normalisation layers.
  case norm

  /// Whether tensors of `role` are among them.
  package func covers(_ role: TensorRequest.Role) -> Bool {
    switch role {
    case .bias: self == .bias
    case .scale, .shift: self == .norm
    case .weight, .statistic: false
    }
  }
}
