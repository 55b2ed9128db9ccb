// One addition of the tree: what the sums of gradients, and the loss behind them, are rounded to.
import CKernels
import NeuralNet

/// Adds sums of the tree. Where the format has 16 bits, every leaf and every sum is rounded to it, wherever it is made; so
/// what crosses the network in that format loses nothing there, and the bits depend on no placement. The loss stays a float.
package struct TreeAddition: Sendable {
  package let format: GradientFormat
  private let parameterCount: Int

  package init(_ format: GradientFormat, _ layout: ArenaLayout) {
    self.format = format
    parameterCount = layout.parameterCount
  }

  /// Of `count` floats from `offset` of the arena on, those that are gradients.
  @inline(__always)
  private func gradients(_ offset: Int, _ count: Int) -> Int {
    format.isHalf ? max(0, min(count, parameterCount - offset)) : count
  }

  /// Rounds what a shard has left; shape (count), from `offset` of the arena on.
  func roundLeaf(_ leaf: UnsafeMutablePointer<Float>, offset: Int, count: Int) {
    format.round(leaf, gradients(offset, count))
  }

  /// a ← a + b; all shape (count), from `offset` of the arena on.
  @inline(__always)
  func add(_ a: UnsafeMutablePointer<Float>, _ b: UnsafePointer<Float>, offset: Int, count: Int) {
    let rounded = gradients(offset, count)
    format.add(a, b, rounded)
    if rounded < count { ckernels_add(a + rounded, b + rounded, count - rounded) }
  }

  /// c ← a + b
  @inline(__always)
  func sum(
    _ c: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, offset: Int,
    count: Int
  ) {
    let rounded = gradients(offset, count)
    format.sum(c, a, b, rounded)
    if rounded < count { ckernels_sum(c + rounded, a + rounded, b + rounded, count - rounded) }
  }
}
