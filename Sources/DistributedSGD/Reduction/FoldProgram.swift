// The tree's additions over some nodes' sums, as a short program for a stack of blocks that stay in cache.

/// Adds the sums of some nodes of the tree up to that of `target`, in the tree's order.
///
/// Long arrays are folded a block at a time: each block's intermediate sums live on a small stack, so every
/// source is read once from memory and nothing but the result leaves the cache.
package struct FoldProgram {
  /// Floats in a block: its sum stays in the first-level cache, and each source is read far enough at a time that
  /// the processor's prefetching pays.
  package static let blockLength = 2048

  private enum Operation {
    /// Push source a.
    case load(Int)
    /// Push source a + source b.
    case loadSum(Int, Int)
    /// Top += source a.
    case add(Int)
    /// Pop, and add to what is then the top.
    case merge
  }

  /// Whether the last addition is that of the target's two halves.
  package let addsHalves: Bool
  /// In memory of their own: a step counts no references.
  private let operations: UnsafeMutableBufferPointer<Operation>
  /// Whether the sum is not just that of one source, as it lies there.
  package let hasAdditions: Bool
  /// Floats to ask of `run` at a time: without additions nothing is gained by blocks.
  package let blockLength: Int
  private let stack: UnsafeMutablePointer<Float>
  private let addition: TreeAddition

  /// - Parameters:
  ///   - target: the node whose sum is wanted.
  ///   - sources: the nodes whose sums are there; together they cover the target's existing leaves.
  ///   - active: leaves from this one on do not exist, and neither do nodes that start there.
  ///   - stack: scratch of `stackLength` floats, which programs may share.
  package init(
    target: TreeNode, sources: [TreeNode], active: Int, _ addition: TreeAddition,
    stack: UnsafeMutablePointer<Float>
  ) {
    self.addition = addition
    let place = Dictionary(uniqueKeysWithValues: sources.enumerated().map { ($1, $0) })
    var operations: [Operation] = []
    var height = 0
    var depth = 0
    func pushed() {
      height += 1
      depth = max(depth, height)
    }
    func visit(_ node: TreeNode) {
      if let source = place[node] {
        operations.append(.load(source))
        pushed()
        return
      }
      precondition(node.level > 0, "leaf \(node.firstLeaf) is in none of the sources")
      if node.right.firstLeaf >= active { return visit(node.left) }
      if let a = place[node.left], let b = place[node.right] {
        operations.append(.loadSum(a, b))
        pushed()
        return
      }
      visit(node.left)
      if let b = place[node.right] {
        operations.append(.add(b))
      } else {
        visit(node.right)
        operations.append(.merge)
        height -= 1
      }
    }
    if target.firstLeaf < active { visit(target) }
    precondition(depth <= Self.maximumDepth)
    addsHalves = target.level > 0 && target.right.firstLeaf < active && place[target] == nil
    self.operations = .allocate(capacity: operations.count)
    _ = self.operations.initialize(from: operations)
    hasAdditions = operations.count != 1 || sources.count != 1
    blockLength = hasAdditions ? Self.blockLength : Int.max
    self.stack = stack
  }

  package func deallocate() { operations.deallocate() }

  /// More than log₂ of any number of shards.
  private static let maximumDepth = 64
  package static let stackLength = maximumDepth * blockLength

  /// True when the target has no leaf: there is nothing to add, and nothing to write.
  package var isEmpty: Bool { operations.isEmpty }

  /// The sum of `count` ≤ `blockLength` floats from `offset` of each source; valid until the next call.
  /// - Parameter sources: one pointer for each source of the program, in its order.
  @inline(__always)
  package func run(
    _ sources: UnsafePointer<UnsafeMutablePointer<Float>>, offset: Int, count: Int
  ) -> UnsafePointer<Float> {
    if operations.count == 1, case .load(let a) = operations[0] { return UnsafePointer(sources[a] + offset) }
    return UnsafePointer(run(operations.count, sources, offset: offset, count: count))
  }

  /// The sums of the target's halves there, before they are added; valid until the next call.
  package func halves(
    _ sources: UnsafePointer<UnsafeMutablePointer<Float>>, offset: Int, count: Int
  ) -> (left: UnsafePointer<Float>, right: UnsafePointer<Float>) {
    precondition(addsHalves)
    let top = run(operations.count - 1, sources, offset: offset, count: count)
    switch operations[operations.count - 1] {
    case .load: preconditionFailure("a load adds nothing")
    case .loadSum(let a, let b):
      return (UnsafePointer(sources[a] + offset), UnsafePointer(sources[b] + offset))
    case .add(let a): return (UnsafePointer(top), UnsafePointer(sources[a] + offset))
    case .merge: return (UnsafePointer(top - Self.blockLength), UnsafePointer(top))
    }
  }

  /// The first operations; returns the top of the stack.
  @inline(__always)
  private func run(
    _ operationCount: Int, _ sources: UnsafePointer<UnsafeMutablePointer<Float>>, offset: Int, count: Int
  ) -> UnsafeMutablePointer<Float> {
    var top = stack - Self.blockLength
    for operation in operations[..<operationCount] {
      switch operation {
      case .load(let a):
        top += Self.blockLength
        top.update(from: sources[a] + offset, count: count)
      case .loadSum(let a, let b):
        top += Self.blockLength
        addition.sum(top, sources[a] + offset, sources[b] + offset, offset: offset, count: count)
      case .add(let a):
        addition.add(top, sources[a] + offset, offset: offset, count: count)
      case .merge:
        addition.add(top - Self.blockLength, top, offset: offset, count: count)
        top -= Self.blockLength
      }
    }
    return top
  }
}
