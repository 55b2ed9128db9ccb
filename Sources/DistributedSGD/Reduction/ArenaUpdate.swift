// How a step changes the parameters: the optimizer, and what some tensors ask for beside it.
import CKernels
import NeuralNet

/// Changes any part of the arena whose gradient has been added up.
final class ArenaUpdate {
  /// What the optimizer keeps of this rank's part.
  let state: OptimizerState
  private let optimizer: any Optimizer
  private let parameters: UnsafeMutablePointer<Float>
  /// Empty where the optimizer treats all parameters alike. In memory of its own: a step counts no references.
  private let stretches: UnsafeMutableBufferPointer<ArenaStretch>

  /// - Parameter parameters: the arena.
  init(
    _ optimizer: any Optimizer, _ state: OptimizerState, stretches: [ArenaStretch],
    parameters: UnsafeMutablePointer<Float>
  ) {
    self.optimizer = optimizer
    self.state = state
    self.parameters = parameters
    self.stretches = .allocate(capacity: stretches.count)
    _ = self.stretches.initialize(from: stretches)
  }

  deinit { stretches.deallocate() }

  /// Changes `count` parameters from `offset` on.
  /// - Parameters:
  ///   - gradient: shape (count)
  ///   - step: the number of this update, from 1.
  @inline(__always)
  func run(
    _ offset: Int, count: Int, gradient: UnsafePointer<Float>, step: Int, learningRate: Float
  ) {
    if stretches.isEmpty {
      return descend(offset, count: count, gradient, step, learningRate, decays: true)
    }
    runByStretch(offset, count: count, gradient, step, learningRate)
  }

  private func runByStretch(
    _ offset: Int, count: Int, _ gradient: UnsafePointer<Float>, _ step: Int, _ learningRate: Float
  ) {
    let end = offset + count
    for stretch in stretches where stretch.range.upperBound > offset && stretch.range.lowerBound < end {
      let first = max(offset, stretch.range.lowerBound)
      let length = min(end, stretch.range.upperBound) - first
      let part = gradient + (first - offset)
      switch stretch.rule {
      case .descent(let decays):
        descend(first, count: length, part, step, learningRate, decays: decays)
      case .average(let momentum):
        ckernels_average(parameters + first, part, Float(1 - momentum), Float(momentum), length)
      }
    }
  }

  @inline(__always)
  private func descend(
    _ offset: Int, count: Int, _ gradient: UnsafePointer<Float>, _ step: Int, _ learningRate: Float,
    decays: Bool
  ) {
    optimizer.update(
      ArenaPart(
        offset: offset, parameters: UnsafeMutableBufferPointer(start: parameters + offset, count: count),
        gradient: UnsafeBufferPointer(start: gradient, count: count), states: state.arrays, decays: decays),
      step: step, learningRate: learningRate)
  }
}
