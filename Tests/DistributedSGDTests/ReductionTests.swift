// The tree of additions: every way of dealing shards to ranks and servers gives the bits of one naive recursion.
import DistributedSGD
import MPI
import NeuralNet
import RandomNumbers
import Testing

/// Sums as the design defines them: left + right, down to the leaves; leaves that are not there are skipped.
private struct NaiveTree {
  let tree: ReductionTree
  let active: Int
  /// Shape (active), each of the same length.
  let leaves: [[Float]]

  func sum(_ node: TreeNode) -> [Float]? {
    if node.firstLeaf >= min(active, tree.leafCount) { return nil }
    if node.level == 0 { return leaves[node.index] }
    guard let left = sum(node.left) else { return nil }
    guard let right = sum(node.right) else { return left }
    return zip(left, right).map { $0 + $1 }
  }
}

private func randomLeaves(_ count: Int, length: Int) -> [[Float]] {
  let random = Philox(seed: 2, purpose: .gradientNoise)
  return (0..<count).map { leaf in
    // Sizes differ by orders of magnitude, so that another order of additions gives other bits.
    let scale = Float(sign: .plus, exponent: leaf * 7 % 23 - 11, significand: 1)
    return (0..<length).map { scale * Float(random.normal(UInt64(leaf * length + $0))) }
  }
}

/// Runs the program that adds up `target` from arrays of its `sources`, block by block; nil when it is empty.
private func fold(
  _ target: TreeNode, _ sources: [TreeNode], active: Int, _ arrays: [[Float]?],
  _ format: GradientFormat = .fp32,
  parameterCount: Int? = nil
) -> [Float]? {
  let length = arrays.compactMap { $0 }.first?.count ?? 0
  let stack = UnsafeMutablePointer<Float>.allocate(capacity: FoldProgram.stackLength)
  let pointers = UnsafeMutablePointer<UnsafeMutablePointer<Float>>.allocate(capacity: sources.count)
  // Memory that no rank has written in this step must not be read: NaN would show.
  let memory = UnsafeMutablePointer<Float>.allocate(capacity: max(1, sources.count * length))
  memory.initialize(repeating: .nan, count: max(1, sources.count * length))
  defer {
    stack.deallocate()
    pointers.deallocate()
    memory.deallocate()
  }
  for (index, array) in arrays.enumerated() {
    (pointers + index).initialize(to: memory + index * length)
    if let array { (memory + index * length).update(from: array, count: length) }
  }
  let program = FoldProgram(
    target: target, sources: sources, active: active,
    TreeAddition(format, ArenaLayout(parameterCount: parameterCount ?? length)), stack: stack)
  if program.isEmpty { return nil }
  var result: [Float] = []
  while result.count < length {
    let count = min(FoldProgram.blockLength, length - result.count)
    let sum = program.run(pointers, offset: result.count, count: count)
    result += UnsafeBufferPointer(start: sum, count: count)
  }
  return result
}

@Suite struct ReductionTests {
  /// The nodes of a set of shards are those shards and no others, each as large as can be, in order.
  @Test func nodesCoverExactly() {
    let random = Philox(seed: 1, purpose: .gradientNoise)
    for leafCount in [1, 2, 3, 5, 8, 13, 31, 64] {
      let tree = ReductionTree(leafCount: leafCount)
      #expect(tree.root.leaves.count >= leafCount && tree.root.leaves.count < max(2, 2 * leafCount))
      for trial in 0..<50 {
        let leaves = Set((0..<leafCount).filter { random.bits(UInt64(trial * 64 + $0)) % 3 > 0 })
        let nodes = tree.nodes(covering: leaves)
        let covered = nodes.flatMap { $0.leaves.clamped(to: 0..<leafCount) }
        #expect(covered == leaves.sorted())
        for node in nodes where node != tree.root {
          let parent = TreeNode(level: node.level + 1, index: node.index / 2)
          #expect(
            !parent.leaves.clamped(to: 0..<leafCount).allSatisfy(leaves.contains), "\(node) could be larger")
        }
      }
      #expect(tree.nodes(covering: Set(0..<leafCount)) == [tree.root])
      #expect(tree.nodes(covering: []).isEmpty)
    }
  }

  /// At most 2 log₂ V nodes a rank: what bounds a rank's memory.
  @Test func rangesNeedFewNodes() {
    let tree = ReductionTree(leafCount: 1_000)
    for start in stride(from: 0, to: 1_000, by: 37) {
      for end in stride(from: start + 1, through: 1_000, by: 41) {
        #expect(tree.nodes(covering: Set(start..<end)).count <= 20)
      }
    }
  }

  /// One server: each rank adds up its nodes, then everyone the total of all ranks' nodes.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 13, 16, 31, 64]) func anyNumberOfRanks(_ shardCount: Int) throws {
    let tree = ReductionTree(leafCount: shardCount)
    for active in Set([1, 2, shardCount / 2, shardCount - 1, shardCount]) where 1...shardCount ~= active {
      let naive = NaiveTree(tree: tree, active: active, leaves: randomLeaves(active, length: 9))
      let expected = try #require(naive.sum(tree.root))
      for worldSize in 1...shardCount {
        let shards = Shards(count: shardCount, worldSize: worldSize)
        let nodes = (0..<worldSize).flatMap { tree.nodes(covering: Set(shards.owned(by: $0))) }
        let total = fold(tree.root, nodes, active: active, nodes.map(naive.sum))
        #expect(total == expected, "V = \(shardCount), P = \(worldSize), \(active) active")
      }
    }
  }

  /// Several servers, also such that deal ranks out in turn: ranks, then servers, then the owner.
  @Test(arguments: [[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1, 2], [0, 1, 2, 0, 1, 2, 0]])
  func anyPlacement(_ serverOfRank: [Int]) throws {
    for shardCount in [serverOfRank.count, serverOfRank.count + 1, 16, 23] {
      let tree = ReductionTree(leafCount: shardCount)
      let shards = Shards(count: shardCount, worldSize: serverOfRank.count)
      for active in [1, 3, shardCount - 1, shardCount] {
        let naive = NaiveTree(tree: tree, active: active, leaves: randomLeaves(active, length: 9))
        var serverNodes: [TreeNode] = []
        var sums: [[Float]?] = []
        for server in Set(serverOfRank).sorted() {
          let ranks = serverOfRank.indices.filter { serverOfRank[$0] == server }
          let rankNodes = ranks.flatMap { tree.nodes(covering: Set(shards.owned(by: $0))) }
          for node in tree.nodes(covering: Set(ranks.flatMap { Array(shards.owned(by: $0)) })) {
            serverNodes.append(node)
            sums.append(fold(node, rankNodes, active: active, rankNodes.map(naive.sum)))
            #expect(sums.last! == naive.sum(node))
          }
        }
        #expect(fold(tree.root, serverNodes, active: active, sums) == naive.sum(tree.root))
      }
    }
  }

  /// Arenas of several blocks and a part of one.
  @Test func longArraysGoBlockByBlock() throws {
    let tree = ReductionTree(leafCount: 5)
    let naive = NaiveTree(
      tree: tree, active: 5, leaves: randomLeaves(5, length: 2 * FoldProgram.blockLength + 77))
    let leaves = (0..<5).map { TreeNode(level: 0, index: $0) }
    #expect(fold(tree.root, leaves, active: 5, leaves.map(naive.sum)) == naive.sum(tree.root))
    #expect(fold(tree.root, [tree.root], active: 5, [naive.sum(tree.root)]) == naive.sum(tree.root))
  }

  /// Every sum is rounded, wherever it is made, and the loss behind the gradients is not.
  @Test(arguments: [GradientFormat.bf16, .fp16]) func roundedSums(_ format: GradientFormat) throws {
    let length = FoldProgram.blockLength + 78
    let tree = ReductionTree(leafCount: 5)
    let nodes = (0..<5).map { TreeNode(level: 0, index: $0) }
    // Within the range of both formats.
    let leaves = randomLeaves(5, length: length).map { leaf in
      var leaf = leaf.map { $0 * 0x1p-11 }
      format.round(&leaf, length - 1)
      return leaf
    }
    func sum(_ a: [Float], _ b: [Float]) -> [Float] {
      var c = zip(a, b).map { $0 + $1 }
      format.round(&c, length - 1)
      return c
    }
    let (first, second) = (sum(leaves[0], leaves[1]), sum(leaves[2], leaves[3]))
    let total = sum(sum(first, second), leaves[4])
    #expect(
      fold(tree.root, nodes, active: 5, leaves, format, parameterCount: length - 1) == total)
    #expect(
      fold(
        tree.root, [TreeNode(level: 1, index: 0), TreeNode(level: 1, index: 1), nodes[4]], active: 5,
        [first, second, leaves[4]], format, parameterCount: length - 1) == total)
  }

  /// The order shows: the same numbers from left to right give other bits.
  @Test func anotherOrderGivesOtherBits() throws {
    let tree = ReductionTree(leafCount: 13)
    let leaves = randomLeaves(13, length: 100)
    let naive = NaiveTree(tree: tree, active: 13, leaves: leaves)
    let inTurn = leaves.dropFirst().reduce(leaves[0]) { sum, leaf in zip(sum, leaf).map { $0 + $1 } }
    #expect(naive.sum(tree.root) != inTurn)
  }

  /// One process: the gradient it leaves is applied to the parameters, and the loss is read back.
  @Test(arguments: [1, 5, 2_047, 5_000]) func oneProcess(_ count: Int) throws {
    let communicator = SingleProcessCommunicator()
    let reduction = try GradientReduction(
      parameterCount: count, shards: Shards(count: 3, worldSize: 1), activeShards: [3, 1],
      rule: UpdateRule(SGD()),
      communicator: communicator)
    #expect(reduction.nodes == [reduction.tree.root])
    let start = (0..<count).map { Float($0 % 17) }
    reduction.parameters.update(from: start, count: count)
    var expected = start
    for (step, (active, loss)) in ([(3, 0.5), (1, 0.25)] as [(Int, Float)]).enumerated() {
      let gradient = reduction.gradientBuffer(0)
      for i in 0..<count {
        gradient[i] = Float(i % 5) - 2
        expected[i] -= 0.125 * gradient[i]
      }
      gradient[count] = loss
      reduction.begin(activeShards: active, step: step + 1, learningRate: 0.125)
      try reduction.reduceAndUpdate(clock: PhaseClock())
      #expect(reduction.loss == loss)
      #expect(Array(UnsafeBufferPointer(start: reduction.parameters, count: count)) == expected)
    }
    withExtendedLifetime(communicator) {}
  }
}
