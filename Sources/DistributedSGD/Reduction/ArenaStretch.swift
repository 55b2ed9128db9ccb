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
  /// Of those that are trained; 0 where the stretch is of several.
  package let tensor: Int

  /// In the order of the arena, without gaps.
  /// - Parameters:
  ///   - tensors: none: all of the arena is one.
  ///   - exempt: what goes without weight decay.
  ///   - isTensorwise: whether each tensor is a stretch of its own.
  package static func all(
    of tensors: [ParameterTensor], parameterCount: Int, exempt: Set<DecayExemption> = [],
    isTensorwise: Bool = false
  ) -> [ArenaStretch] {
    if tensors.isEmpty {
      return [ArenaStretch(range: 0..<parameterCount, rule: .descent(decays: true), tensor: 0)]
    }
    var stretches: [ArenaStretch] = []
    var trained = 0
    for tensor in tensors where tensor.count > 0 {
      let rule = rule(of: tensor, exempt)
      if !isTensorwise, let last = stretches.last, last.rule == rule {
        stretches[stretches.count - 1] = ArenaStretch(
          range: last.range.lowerBound..<tensor.range.upperBound, rule: rule, tensor: 0)
      } else {
        stretches.append(ArenaStretch(range: tensor.range, rule: rule, tensor: isTensorwise ? trained : 0))
      }
      if tensor.role.isTrained { trained += 1 }
    }
    return stretches
  }

  private static func rule(of tensor: ParameterTensor, _ exempt: Set<DecayExemption>) -> Rule {
    if case .statistic(let momentum, _) = tensor.role { return .average(momentum: momentum) }
    return .descent(decays: !exempt.contains { $0.covers(tensor.role) })
  }
}
