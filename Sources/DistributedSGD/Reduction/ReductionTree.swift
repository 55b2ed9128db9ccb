// The fixed order in which shard gradients are added: a balanced binary tree over the shard index.

/// A node of the tree: the leaves index·2^level ..< (index + 1)·2^level.
package struct TreeNode: Sendable, Hashable {
  package let level: Int
  package let index: Int

  package init(level: Int, index: Int) {
    self.level = level
    self.index = index
  }

  package var firstLeaf: Int { index << level }
  package var leaves: Range<Int> { index << level..<(index + 1) << level }
  package var left: TreeNode { TreeNode(level: level - 1, index: 2 * index) }
  package var right: TreeNode { TreeNode(level: level - 1, index: 2 * index + 1) }
}

/// The balanced binary tree over `leafCount` leaves, padded to a power of two; leaves that do not exist are
/// skipped, not added as zero. It depends on the number of shards alone, never on ranks or servers.
package struct ReductionTree: Sendable {
  package let leafCount: Int
  package let root: TreeNode

  package init(leafCount: Int) {
    precondition(leafCount >= 1)
    self.leafCount = leafCount
    var level = 0
    while 1 << level < leafCount { level += 1 }
    root = TreeNode(level: level, index: 0)
  }

  /// The largest nodes that have all their leaves in `leaves`, in order: what an owner of those leaves can
  /// add up alone. At most 2 log₂ of them when `leaves` is one range; leaves past `leafCount` count as owned.
  package func nodes(covering leaves: Set<Int>) -> [TreeNode] {
    // A node lies within one of the leaves' runs.
    var result: [TreeNode] = []
    var run = 0..<0
    for leaf in leaves.sorted() {
      if leaf == run.upperBound, !run.isEmpty {
        run = run.lowerBound..<leaf + 1
      } else {
        result += nodes(covering: run)
        run = leaf..<leaf + 1
      }
    }
    return result + nodes(covering: run)
  }

  /// The same of one run of leaves, beside which none is owned. O(log `leafCount`).
  package func nodes(covering leaves: Range<Int>) -> [TreeNode] {
    var result: [TreeNode] = []
    func visit(_ node: TreeNode) {
      let existing = node.leaves.clamped(to: 0..<leafCount)
      guard existing.overlaps(leaves) else { return }
      if existing.clamped(to: leaves) == existing {
        result.append(node)
      } else if node.level > 0 {
        visit(node.left)
        visit(node.right)
      }
    }
    visit(root)
    return result
  }
}
