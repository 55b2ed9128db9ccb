// How a step changes the parameters: the optimizer, and what some tensors ask for beside it.
import CKernels
import NeuralNet

/// Changes any part of the arena whose gradient has been added up.
final class ArenaUpdate {
  /// What the optimizer keeps of this rank's part.
  let state: OptimizerState
  /// What is done to the gradient before.
  let clipping: Clipping?
  /// The same optimizer, where it needs norms of tensors.
  let tensorwise: (any TensorwiseOptimizer)?
  /// Whether all of the gradient must be known before any of it is used, or it must be changed first.
  let isStaged: Bool
  /// nil where parameters become just what the optimizer makes of them.
  let steps: ParameterSteps?
  private let optimizer: any Optimizer
  private let parameters: UnsafeMutablePointer<Float>
  /// In memory of its own: a step counts no references.
  private let stretches: UnsafeMutableBufferPointer<ArenaStretch>
  /// Whether the optimizer treats all parameters alike.
  private let isUniform: Bool

  /// - Parameter parameters: the arena.
  init(
    _ rule: UpdateRule, _ state: OptimizerState, tensors: [ParameterTensor], layout: ArenaLayout,
    parameters: UnsafeMutablePointer<Float>, steps: ParameterSteps?
  ) {
    self.steps = steps
    optimizer = rule.optimizer
    clipping = rule.clipping
    tensorwise = rule.optimizer as? any TensorwiseOptimizer
    isStaged = rule.clipping != nil || tensorwise != nil
    self.state = state
    self.parameters = parameters
    let all = ArenaStretch.all(
      of: tensors, parameterCount: layout.parameterCount, exempt: rule.noDecayFor,
      isTensorwise: tensorwise != nil)
    stretches = .allocate(capacity: all.count)
    _ = stretches.initialize(from: all)
    isUniform = all.allSatisfy { $0.rule == .descent(decays: true) }
  }

  deinit { stretches.deallocate() }

  /// Changes `count` parameters from `offset` on.
  /// - Parameters:
  ///   - copy: the arena that the changed ones go to, while the others are still read; nil: where they are.
  ///   - gradient: shape (count)
  ///   - step: the number of this update, from 1.
  @inline(__always)
  func run(
    _ offset: Int, count: Int, into copy: UnsafeMutablePointer<Float>? = nil, gradient: UnsafePointer<Float>,
    step: Int, learningRate: Float
  ) {
    var parameters = parameters
    if let copy {
      (copy + offset).update(from: parameters + offset, count: count)
      parameters = copy
    }
    guard let steps else {
      return change(
        offset, of: parameters, count: count, gradient: gradient, step: step, learningRate: learningRate)
    }
    steps.run(offset..<offset + count, of: parameters) {
      change(
        $0, of: parameters, count: $1, gradient: gradient + ($0 - offset), step: step,
        learningRate: learningRate)
    }
  }

  @inline(__always)
  private func change(
    _ offset: Int, of parameters: UnsafeMutablePointer<Float>, count: Int, gradient: UnsafePointer<Float>,
    step: Int, learningRate: Float
  ) {
    if isUniform {
      return optimizer.update(
        part(of: parameters, offset, count, gradient, decays: true), step: step, learningRate: learningRate)
    }
    forStretches(offset, count) { range, stretch in
      let part = gradient + (range.lowerBound - offset)
      switch stretch.rule {
      case .descent(let decays):
        optimizer.update(
          self.part(of: parameters, range.lowerBound, range.count, part, decays: decays), step: step,
          learningRate: learningRate)
      case .average(let momentum): average(parameters, range, part, momentum)
      }
    }
  }

  /// Makes the gradient of `count` parameters from `offset` on smaller.
  /// - Parameter coefficient: of clipping by the norm.
  func clip(
    _ offset: Int, count: Int, gradient: UnsafeMutablePointer<Float>, coefficient: Float
  ) {
    guard let clipping else { return }
    forStretches(offset, count) { range, stretch in
      guard case .descent = stretch.rule else { return }
      let part = gradient + (range.lowerBound - offset)
      switch clipping {
      case .norm: if coefficient != 1 { ckernels_scale(part, coefficient, range.count) }
      case .value(let limit): ckernels_clamp(part, Float(limit), range.count)
      }
    }
  }

  /// Makes the gradient of a part the direction of a tensorwise optimizer.
  func direct(_ offset: Int, count: Int, gradient: UnsafeMutablePointer<Float>, step: Int) {
    guard let tensorwise else { return }
    forStretches(offset, count) { range, stretch in
      guard case .descent(let decays) = stretch.rule else { return }
      let part = gradient + (range.lowerBound - offset)
      tensorwise.direct(
        self.part(of: parameters, range.lowerBound, range.count, part, decays: decays),
        UnsafeMutableBufferPointer(start: part, count: range.count), step: step)
    }
  }

  /// Changes all parameters of `range`, by the norms of their tensors.
  /// - Parameter gradient: the direction, addressed as if the whole arena were there.
  func run(
    _ range: Range<Int>, direction: UnsafePointer<Float>, norms: ArenaNorms, step: Int, learningRate: Float
  ) {
    guard let steps else {
      return change(range, direction: direction, norms: norms, step: step, learningRate: learningRate)
    }
    steps.run(range, of: parameters) {
      change($0..<$0 + $1, direction: direction, norms: norms, step: step, learningRate: learningRate)
    }
  }

  private func change(
    _ range: Range<Int>, direction: UnsafePointer<Float>, norms: ArenaNorms, step: Int, learningRate: Float
  ) {
    guard let tensorwise else { return }
    forStretches(range.lowerBound, range.count) { range, stretch in
      let part = direction + range.lowerBound
      switch stretch.rule {
      case .descent(let decays):
        let factor =
          decays
          ? tensorwise.factor(
            parameterNorm: norms.norm(.parameters, tensor: stretch.tensor),
            directionNorm: norms.norm(.direction, tensor: stretch.tensor))
          : 1
        tensorwise.update(
          self.part(of: parameters, range.lowerBound, range.count, part, decays: decays), step: step,
          learningRate: learningRate, factor: Float(factor))
      case .average(let momentum): average(parameters, range, part, momentum)
      }
    }
  }

  /// Calls `body` for each stretch that has elements among `count` from `offset` on, with their range.
  @inline(__always)
  private func forStretches(_ offset: Int, _ count: Int, _ body: (Range<Int>, ArenaStretch) -> Void) {
    let end = offset + count
    var (low, high) = (0, stretches.count)
    while low < high {
      let middle = (low + high) / 2
      if stretches[middle].range.upperBound > offset { high = middle } else { low = middle + 1 }
    }
    while low < stretches.count, stretches[low].range.lowerBound < end {
      let range = stretches[low].range
      body(max(offset, range.lowerBound)..<min(end, range.upperBound), stretches[low])
      low += 1
    }
  }

  @inline(__always)
  private func average(
    _ parameters: UnsafeMutablePointer<Float>, _ range: Range<Int>, _ gradient: UnsafePointer<Float>,
    _ momentum: Double
  ) {
    ckernels_average(
      parameters + range.lowerBound, gradient, Float(1 - momentum), Float(momentum), range.count)
  }

  @inline(__always)
  private func part(
    of parameters: UnsafeMutablePointer<Float>, _ offset: Int, _ count: Int,
    _ gradient: UnsafePointer<Float>, decays: Bool
  ) -> ArenaPart {
    ArenaPart(
      offset: offset, parameters: UnsafeMutableBufferPointer(start: parameters + offset, count: count),
      gradient: UnsafeBufferPointer(start: gradient, count: count), states: state.arrays, decays: decays)
  }
}
