// `bench update`: how fast update rules move what they must, against STREAM's triad over the same memory.
import CBandwidth
import NeuralNet
import Runs
import System

package struct UpdateOptions: Sendable {
  /// `--optimizer`'s words.
  package var optimizers: [any Optimizer] = [SGD(), SGD(momentum: 0.9), Adam()]
  /// Parameters of the arena; nil: what four times the last cache holds of four arrays.
  package var parameters: Int?
  package var samples = 15

  package init() {}
}

/// An update rule over an arena in memory.
package struct UpdateMeasurement: Sendable {
  package let optimizer: String
  /// Read and written for each parameter: w, g and the states are read, all but g written.
  package let bytesPerParameter: Int
  /// GB/s of one core.
  package let rate: Rate
}

/// Updates of all of an arena, on one core.
package struct UpdateBench {
  private let options: UpdateOptions

  package init(_ options: UpdateOptions) { self.options = options }

  /// - Throws: `DistsgdError` (`usage`).
  package func run() throws -> UpdateReport {
    try NumberRange("--parameters", 1024...1 << 30).check(options.parameters)
    if let other = options.optimizers.first(where: { $0 is any TensorwiseOptimizer }) {
      throw DistsgdError(
        .usage,
        "--optimizer \(other): it goes over the parameters more than once, for the norms of tensors; name rules of one pass, such as adam, and time it by 'bench step'"
      )
    }
    let machine = Machine()
    let memory = MemoryBandwidth.workingSets(machine.caches).last?.bytes ?? 1 << 28
    let count = options.parameters ?? memory / 16
    let states = options.optimizers.map(\.states.count).max() ?? 0
    let bytes = 4 * Double(count) * Double(2 + max(1, states))
    try requireMemory(bytes: bytes, for: "an arena of \(count) parameters", instead: "fewer --parameters")
    let arena = Arena(count: count, states: max(1, states))
    let width = Int32(min(machine.vectors.name == "AVX" ? 16 : machine.vectors.bits / 8, 64))
    var step = 0
    let updates = options.optimizers.map { optimizer in
      {
        step += 1
        arena.update(optimizer, step: step)
      }
    }
    let timings = time(
      [{ cbandwidth_triad(width, arena[0], arena[1], arena[2], 0.5, count) }] + updates,
      samples: options.samples, minimumSeconds: 0.02)
    return UpdateReport(
      machine: machine, parameters: count, triad: Rate(Double(12 * count), in: timings[0]),
      rules: zip(options.optimizers, timings.dropFirst()).map { optimizer, timing in
        let bytes = 4 * (3 + 2 * optimizer.states.count)
        return UpdateMeasurement(
          optimizer: optimizer.description, bytesPerParameter: bytes,
          rate: Rate(Double(bytes * count), in: timing))
      })
  }
}

/// Parameters, a gradient and states, each as long as the others.
private final class Arena {
  private let count: Int
  private let memory: UnsafeMutablePointer<Float>
  private let states: UnsafeMutablePointer<UnsafeMutablePointer<Float>>

  init(count: Int, states: Int) {
    self.count = count
    memory = UnsafeMutableRawPointer.allocate(byteCount: 4 * count * (2 + states), alignment: 4096)
      .initializeMemory(as: Float.self, repeating: 0.001, count: count * (2 + states))
    self.states = .allocate(capacity: states)
    for index in 0..<states { (self.states + index).initialize(to: memory + (2 + index) * count) }
  }

  deinit {
    memory.deallocate()
    states.deallocate()
  }

  subscript(_ array: Int) -> UnsafeMutablePointer<Float> { memory + array * count }

  func update(_ optimizer: any Optimizer, step: Int) {
    optimizer.update(
      ArenaPart(
        offset: 0, parameters: UnsafeMutableBufferPointer(start: memory, count: count),
        gradient: UnsafeBufferPointer(start: memory + count, count: count), states: states), step: step,
      learningRate: 1e-6)
  }
}
