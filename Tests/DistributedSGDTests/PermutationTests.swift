// The order of an epoch: a permutation, of any size, that looks like chance.
import DistributedSGD
import Testing

/// Whether all of 0 ..< count come, each once.
private func isPermutation(_ permutation: Permutation) -> Bool {
  var seen = [Bool](repeating: false, count: permutation.count)
  for position in 0..<permutation.count {
    let item = permutation[position]
    guard seen.indices.contains(item), !seen[item] else { return false }
    seen[item] = true
  }
  return true
}

@Suite struct PermutationTests {
  @Test func everySmallSizeIsPermuted() {
    for count in 1...200 {
      for seed: UInt64 in [0, 1, 0xDEAD_BEEF_CAFE_F00D] {
        for epoch in [0, 1, 77] {
          #expect(
            isPermutation(Permutation(count: count, seed: seed, epoch: epoch)),
            "\(count) of \(seed), \(epoch)")
        }
      }
    }
  }

  @Test(arguments: [1_000, 1_500, 4_095, 4_096, 4_097, 60_000, 65_537, 1_000_003])
  func largerSizesArePermuted(_ count: Int) {
    #expect(isPermutation(Permutation(count: count, seed: 3, epoch: 5)))
  }

  /// Ten thousand million examples, in no memory: what is asked for is in range, never twice, and spread evenly.
  @Test(arguments: [10_000_000_000, 9_999_999_967, 1 << 40]) func hugeSizes(_ count: Int) {
    let permutation = Permutation(count: count, seed: 1, epoch: 0)
    let stride = count / 100_003
    let samples = (0..<100_000).map { $0 } + (0..<100_000).map { count - 1 - $0 * stride }
    var seen = Set<Int>()
    var bins = [Int](repeating: 0, count: 64)
    for position in Set(samples) {
      let item = permutation[position]
      #expect((0..<count).contains(item))
      seen.insert(item)
      bins[item / (count / 64 + 1)] += 1
    }
    #expect(seen.count == Set(samples).count)
    expectUniform(bins, "items of \(count)")
  }

  /// Over many seeds every item is equally often at a position, and at every position equally often an item.
  @Test(arguments: [2, 4, 5, 6, 7, 10, 12, 13, 31, 100, 128]) func positionsAreUniform(_ count: Int) {
    let seeds = max(20_000, 100 * count)
    for place in Set([0, 1, count / 2, count - 1]) {
      var items = [Int](repeating: 0, count: count)
      for seed in 0..<seeds { items[Permutation(count: count, seed: UInt64(seed), epoch: 0)[place]] += 1 }
      expectUniform(items, "the item at \(place) of \(count)")
    }
    var places = [[Int]](repeating: [Int](repeating: 0, count: count), count: 2)
    for seed in 0..<seeds {
      let permutation = Permutation(count: count, seed: UInt64(seed), epoch: 0)
      for place in 0..<count {
        if permutation[place] == 0 { places[0][place] += 1 }
        if permutation[place] == count - 1 { places[1][place] += 1 }
      }
    }
    expectUniform(places[0], "the place of item 0 of \(count)")
    expectUniform(places[1], "the place of item \(count - 1) of \(count)")
  }

  /// A run's seed is fixed and its epochs count up: over them the same must hold.
  @Test(arguments: [7, 100, 1_500]) func epochsAreUniform(_ count: Int) {
    var items = [Int](repeating: 0, count: count)
    for epoch in 0..<20 * count { items[Permutation(count: count, seed: 0, epoch: epoch)[count / 3]] += 1 }
    expectUniform(items, "the item at \(count / 3) of \(count)")
  }

  /// Every ordered pair of neighbours is equally likely, also in the smallest sets: 500 are expected of each,
  /// so that chance alone leaves the worst within 0.22 (five deviations).
  @Test(arguments: [(3, 0.22), (5, 0.22), (8, 0.22), (11, 0.22), (16, 0.22), (32, 0.22)])
  func smallSizesAreNearlyUniform(_ count: Int, _ tolerance: Double) {
    func deviation(_ counts: [Int]) -> Double {
      let expected = Double(counts.reduce(0, +)) / Double(counts.count)
      return counts.map { abs(Double($0) / expected - 1) }.max()!
    }
    var items = [Int](repeating: 0, count: count)
    var pairs = [Int](repeating: 0, count: count * count)
    for seed in 0..<2_000 * count * (count - 1) / 4 {
      let permutation = Permutation(count: count, seed: UInt64(seed), epoch: 0)
      items[permutation[0]] += 1
      pairs[permutation[0] * count + permutation[1]] += 1
    }
    #expect(deviation(items) < 0.1)
    #expect((0..<count).allSatisfy { pairs[$0 * count + $0] == 0 })
    let worst = deviation(pairs.indices.filter { $0 / count != $0 % count }.map { pairs[$0] })
    #expect(worst < tolerance, "a pair of \(count) is off by \(worst)")
  }

  /// How far apart neighbours land, in the size of the chapter's data set.
  @Test(arguments: [(1_500, 1), (1_500, 39), (60_000, 1), (60_000, 245)]) func distances(
    _ count: Int, _ step: Int
  ) {
    var bins = [Int](repeating: 0, count: 50)
    for seed in 0..<4 {
      let permutation = Permutation(count: count, seed: UInt64(seed), epoch: 2)
      for place in 0..<count - step {
        let distance = (permutation[place + step] - permutation[place] + count) % count
        bins[distance * 50 / count] += 1
      }
    }
    expectUniform(bins, "distances over \(step) of \(count)")
  }

  /// A batch holds as many of the first half's examples as a hypergeometric draw would, no more evenly and no
  /// less: the noise of a batch's gradient depends on it.
  @Test(arguments: [(1_500, 128), (1_500, 7), (4_096, 64)]) func batchesAreRandomSamples(
    _ count: Int, _ batch: Int
  ) {
    for isWanted in [{ $0 < count / 2 }, { $0 % 2 == 0 }, { $0 / 50 % 2 == 0 }, { $0 % 39 < 19 }]
      as [(Int) -> Bool]
    {
      let wanted = Double((0..<count).count(where: isWanted))
      let n = Double(count)
      let mean = Double(batch) * wanted / n
      let variance = mean * (1 - wanted / n) * (n - Double(batch)) / (n - 1)
      let trials = 4_000
      var sum = 0.0
      var squares = 0.0
      for trial in 0..<trials {
        let permutation = Permutation(count: count, seed: UInt64(trial / 4), epoch: trial % 4)
        let start = trial % (count / batch) * batch
        let found = Double((start..<start + batch).count { isWanted(permutation[$0]) })
        sum += found - mean
        squares += (found - mean) * (found - mean)
      }
      let t = Double(trials)
      #expect(abs(sum) < 3.9 * (t * variance).squareRoot(), "mean is off by \(sum / t) of \(mean)")
      #expect(
        abs(squares / (t * variance) - 1) < 3.9 * (2 / t).squareRoot(),
        "variance is \(squares / t), expected \(variance)")
    }
  }

  @Test func epochsAndSeedsGiveOtherOrders() {
    func order(_ seed: UInt64, _ epoch: Int) -> [Int] {
      let permutation = Permutation(count: 1_500, seed: seed, epoch: epoch)
      return (0..<1_500).map { permutation[$0] }
    }
    let orders = [order(0, 0), order(0, 1), order(0, 2), order(1, 0), order(1 << 32, 0)]
    for (index, a) in orders.enumerated() {
      #expect(a != Array(0..<1_500))
      for b in orders[..<index] {
        // Two random orders agree at about one place.
        #expect(zip(a, b).count { $0 == $1 } < 9)
      }
    }
    #expect(order(0, 1) == orders[1], "a function of seed and epoch")
  }
}

/// More things than 32 bits can number.
@Suite struct LargePermutationTests {
  @Test(arguments: [(1 << 32) + 1, 5_000_000_000, 1 << 40, 1 << 62])
  func indicesHave64Bits(count: Int) {
    let permutation = Permutation(count: count, seed: 1, epoch: 0)
    // Neighbours, at both ends and on both sides of 2^32.
    let starts = [0, (1 << 32) - 500, count - 1000].filter { $0 + 1000 <= count }
    let things = Set(starts.flatMap { start in (start..<start + 1000).map { permutation[$0] } })
    #expect(things.count == 1000 * starts.count && things.allSatisfy { (0..<count).contains($0) })
    // Uniform: half of them lie in the upper half, give or take six deviations.
    let upper = things.count { $0 >= count / 2 }
    #expect(abs(upper - things.count / 2) < 170, "\(upper) of \(things.count)")
  }
}
