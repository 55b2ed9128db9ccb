// How many of a rank's shards run in one forward and backward pass: more rows would not make its products faster.
import NeuralNet

/// The passes over several shards that a rank makes.
struct ShardPasses {
  /// Rows of a pass over several shards, at most: more where they are so short that they stay in the first-level cache,
  /// or take no more memory than the weights, which each pass reads.
  private static func enoughRows(_ model: Sequential) -> Int {
    if let rows = model.rowsOfPictures { return rows }
    let width = max(model.inputCount, model.outputCounts.max() ?? 1)
    return max(256, 8192 / width, min(1024, model.parameterCount / width))
  }

  /// The level of the tree up to which a node's shards run in one pass; 0 when each runs alone.
  let level: Int
  /// For each that occurs: the row at which each shard starts, and the end of the last.
  let bounds: Set<[Int]>

  /// The same of passes over one shard, or a part of it.
  let single: Set<[Int]>

  /// Of a pass, at most.
  var maximumPieces: Int { bounds.reduce(0) { max($0, $1.count - 1) } }
  var maximumRows: Int { bounds.reduce(0) { max($0, $1[$1.count - 1]) } }

  /// Each shard runs alone, some rows at a time.
  /// - Parameter nodes: what this rank adds up alone.
  init(microBatch: Int, shards: Shards, batchSizes: [Int], nodes: [TreeNode]) {
    level = 0
    bounds = []
    let rows = Set(
      batchSizes.flatMap { batch in
        nodes.flatMap(\.leaves).filter { $0 < shards.count }.map {
          shards.examples(of: $0, batch: batch).count
        }
      })
    single = Set(rows.flatMap { [min($0, microBatch), $0 % microBatch] }.filter { $0 > 0 }.map { [0, $0] })
  }

  /// - Parameter nodes: what this rank adds up alone.
  init(_ model: Sequential, shards: Shards, batchSizes: [Int], nodes: [TreeNode]) {
    let enoughRows = Self.enoughRows(model)
    let largestShard = shards.examples(of: 0, batch: batchSizes[0]).count
    let highest = nodes.map(\.level).max() ?? 0
    var level = 0
    var single: Set<[Int]> = []
    while level < highest, largestShard << (level + 1) <= enoughRows { level += 1 }
    var bounds: Set<[Int]> = []
    for batch in batchSizes {
      for node in nodes {
        // One pass over the whole tree is two where its halves are measured.
        let levels = node.leaves.count >= shards.count && level == node.level ? [level, level - 1] : [level]
        for leaves in levels.flatMap({ node.parts(ofLevel: max(0, min($0, node.level))) }) {
          let active = leaves.clamped(to: 0..<shards.active(batch: batch))
          if active.count > 1 { bounds.insert(shards.bounds(of: active, batch: batch)) }
          if active.count == 1 { single.insert(shards.bounds(of: active, batch: batch)) }
        }
      }
    }
    self.level = level
    self.bounds = bounds
    self.single = single
  }

  /// All of a rank's shards in one pass.
  init(wholeShareOf nodes: [TreeNode], shards: Shards, batchSizes: [Int]) {
    var bounds: Set<[Int]> = []
    for batch in batchSizes {
      let active = nodes.map { $0.leaves.clamped(to: 0..<shards.active(batch: batch)) }
        .filter { !$0.isEmpty }
      guard let first = active.first, let last = active.last else { continue }
      bounds.insert(shards.bounds(of: first.lowerBound..<last.upperBound, batch: batch))
      // The gradients of each node are a sum of their own.
      for leaves in active { bounds.insert(shards.bounds(of: leaves, batch: batch)) }
    }
    level = 0
    self.bounds = bounds
    single = []
  }
}

/// All of a rank's shards of a batch, by the nodes of the tree that it adds up alone.
struct RankShare {
  /// Shards of the batch that have examples.
  let active: Int
  let parts: [(node: Int, leaves: Range<Int>)]

  init(of nodes: [TreeNode], active: Int) {
    self.active = active
    parts = nodes.enumerated().filter { $0.element.firstLeaf < active }.map {
      ($0.offset, $0.element.leaves.clamped(to: 0..<active))
    }
  }
}

extension TreeNode {
  /// The leaves of this node's descendants of a level, from left to right.
  fileprivate func parts(ofLevel level: Int) -> [Range<Int>] {
    stride(from: firstLeaf, to: leaves.upperBound, by: 1 << level).map { $0..<$0 + 1 << level }
  }
}

extension Shards {
  /// Where each of some shards starts among their examples, and where the last ends.
  fileprivate func bounds(of shards: Range<Int>, batch: Int) -> [Int] {
    let first = examples(of: shards.lowerBound, batch: batch).lowerBound
    return [0] + shards.map { examples(of: $0, batch: batch).upperBound - first }
  }
}
