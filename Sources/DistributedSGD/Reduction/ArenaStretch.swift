// Which neighbouring parameters a step changes in one way: the arena's parts by tensor.
import NeuralNet

/// Some neighbouring floats of the arena, of one tensor or of several that are treated alike.
package struct ArenaStretch: Sendable, Equatable {
  /// How a step changes them.
  package enum Rule: Sendable, Equatable {
    /// By the optimizer.
    case descent(decays: Bool)
    /// w ← (1 − momentum)·w + momentum·g: statistics of the batch.
    case average(momentum: Double)
  }

  package let range: Range<Int>
  package let rule: Rule

  /// In the order of the arena, without gaps; empty where the optimizer treats all of it alike.
  package static func all(of tensors: [ParameterTensor]) -> [ArenaStretch] {
    var stretches: [ArenaStretch] = []
    for tensor in tensors where tensor.count > 0 {
      let rule = rule(of: tensor)
      if let last = stretches.last, last.rule == rule {
        stretches[stretches.count - 1] = ArenaStretch(
          range: last.range.lowerBound..<tensor.range.upperBound, rule: rule)
      } else {
        stretches.append(ArenaStretch(range: tensor.range, rule: rule))
      }
    }
    return stretches.allSatisfy { $0.rule == .descent(decays: true) } ? [] : stretches
  }

  private static func rule(of tensor: ParameterTensor) -> Rule {
    if case .statistic(let momentum, _) = tensor.role { return .average(momentum: momentum) }
    return .descent(decays: true)
  }
}
