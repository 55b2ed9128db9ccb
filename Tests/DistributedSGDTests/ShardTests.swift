// How batches are cut into shards and dealt to ranks, and every example exactly once.
import DistributedSGD
import NeuralNet
import TestSupport
import Testing

@Suite struct ShardTests {
  /// Every cut of a batch: contiguous, covering, sizes differing by at most one, the longer first.
  @Test func shardsOfABatch() {
    for count in 1...64 {
      let shards = Shards(count: count, worldSize: 1)
      for batch in [1, 2, 3, 7, 42, 63, 64, 65, 100, 127, 128, 1_000] {
        let ranges = (0..<count).map { shards.examples(of: $0, batch: batch) }
        #expect(ranges.first?.lowerBound == 0 && ranges.last?.upperBound == batch)
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        let sizes = ranges.map(\.count)
        #expect(sizes == sizes.sorted(by: >), "the longer first")
        #expect(sizes[0] - sizes[count - 1] <= 1)
        #expect(shards.active(batch: batch) == sizes.count { $0 > 0 })
      }
    }
  }

  /// Rank r owns ⌊rV/P⌋ … ⌊(r+1)V/P⌋−1: all shards, each once, at least one a rank.
  @Test func ownersOfShards() {
    for count in 1...64 {
      for worldSize in 1...count {
        let shards = Shards(count: count, worldSize: worldSize)
        let owned = (0..<worldSize).map(shards.owned(by:))
        #expect(owned.flatMap { Array($0) } == Array(0..<count))
        #expect(owned.allSatisfy { !$0.isEmpty })
        #expect((owned.map(\.count).max() ?? 0) - (owned.map(\.count).min() ?? 0) <= 1)
        for (rank, range) in owned.enumerated() {
          let start = Int((Double(rank * count) / Double(worldSize)).rounded(.down))
          #expect(range.lowerBound == start)
        }
        for batch in [3, 64, 100] {
          let shares = (0..<worldSize).map { shards.exampleCount(of: $0, batch: batch) }
          #expect(shares.reduce(0, +) == batch)
          for rank in 0..<worldSize {
            #expect(
              shares[rank] == owned[rank].reduce(0) { $0 + shards.examples(of: $1, batch: batch).count })
          }
        }
      }
    }
  }

  @Test func batches() {
    let keep = BatchSchedule(exampleCount: 1_500, globalBatch: 128, lastBatch: .keep)
    #expect(keep.stepsPerEpoch == 12)
    #expect(keep.positions(step: 0) == 0..<128)
    #expect(keep.positions(step: 11) == 1_408..<1_500)
    #expect(keep.batchSizes == [128, 92])
    let drop = BatchSchedule(exampleCount: 1_500, globalBatch: 128, lastBatch: .drop)
    #expect(drop.stepsPerEpoch == 11)
    #expect(drop.positions(step: 10) == 1_280..<1_408)
    #expect(drop.batchSizes == [128])
    for lastBatch in LastBatch.allCases {
      let even = BatchSchedule(exampleCount: 1_500, globalBatch: 100, lastBatch: lastBatch)
      #expect(even.stepsPerEpoch == 15 && even.batchSizes == [100])
      let whole = BatchSchedule(exampleCount: 7, globalBatch: 7, lastBatch: lastBatch)
      #expect(whole.stepsPerEpoch == 1 && whole.positions(step: 0) == 0..<7)
    }
  }

  /// Over all steps, ranks and shards of an epoch every position comes exactly once (with `drop`: those of the
  /// full batches).
  @Test(arguments: LastBatch.allCases) func everyPositionOnce(_ lastBatch: LastBatch) {
    for (count, batch) in [
      (1, 1), (2, 1), (7, 7), (10, 3), (50, 16), (100, 7), (128, 128), (129, 128), (255, 128), (1_500, 128),
      (1_500, 1_499), (1_503, 100),
    ] {
      let schedule = BatchSchedule(exampleCount: count, globalBatch: batch, lastBatch: lastBatch)
      for shardCount in [1, 2, 3, 5, 8, 13, 64] {
        for worldSize in Set([1, 2, 3, 4, 7, 8, shardCount]) where worldSize <= shardCount {
          let shards = Shards(count: shardCount, worldSize: worldSize)
          var seen = [Int](repeating: 0, count: count)
          for step in 0..<schedule.stepsPerEpoch {
            let positions = schedule.positions(step: step)
            for rank in 0..<worldSize {
              for shard in shards.owned(by: rank) {
                for i in shards.examples(of: shard, batch: positions.count) {
                  seen[positions.lowerBound + i] += 1
                }
              }
            }
          }
          let used = lastBatch == .keep ? count : count / batch * batch
          #expect(
            seen == (0..<count).map { $0 < used ? 1 : 0 },
            "N = \(count), B = \(batch), V = \(shardCount), P = \(worldSize)")
        }
      }
    }
  }
}

/// Keeps the parameters and adds up the gradients it is given.
private final class GradientLog: Optimizer, @unchecked Sendable {
  // Unchecked: one thread trains, and then reads.
  private(set) var gradient: [Float]

  static let names = ["gradient-log"]
  static let form = "gradient-log"
  var description: String { "gradient-log" }

  init(count: Int) { gradient = [Float](repeating: 0, count: count) }
  init(_ word: Word) { gradient = [] }

  func update(_ part: borrowing ArenaPart, step: Int, learningRate: Float) {
    for i in 0..<part.count { gradient[part.offset + i] += part.gradient[i] }
  }

  /// What came since the last call.
  func take() -> [Float] {
    defer { for i in gradient.indices { gradient[i] = 0 } }
    return gradient
  }
}

/// The same accounting through the trainer itself: with one input an example and targets of −1, the gradient of
/// weight i is how often example i came, over the batch's size.
@Suite struct ExampleAccountingTests {
  @Test(arguments: [(10, 3), (50, 16), (60, 7), (80, 80), (81, 80)], LastBatch.allCases)
  func everyExampleCountsOnce(_ size: (count: Int, batch: Int), _ lastBatch: LastBatch) throws {
    let (count, batch) = size
    let identity = (0..<count * count).map { Float($0 / count == $0 % count ? 1 : 0) }
    let sample = Sample(features: identity, targets: .values([Float](repeating: -1, count: count)))
    let model = Sequential(inputs: count, Dense(1))
    for sampling in [Sampling.shuffle, .sequential] {
      for copies in [1, 2] {
        for (shards, microBatch) in [(1, nil), (1, 4), (3, nil), (7, 2), (8, nil), (64, nil)] as [(Int, Int?)]
        {
          var training = TrainerCase(
            sample, model, SquaredLoss(), parameters: [Float](repeating: 0, count: count + 1), batch: batch)
          training.sampling = sampling
          training.copies = copies
          training.lastBatch = lastBatch
          training.shards = shards
          training.microBatch = microBatch
          let schedule = training.schedule
          let log = GradientLog(count: count + 1)
          var sums = [Float](repeating: 0, count: count)
          try training.run(steps: schedule.stepsPerEpoch, optimizer: log) { step in
            let size = Float(schedule.positions(step: step).count)
            for (example, value) in log.take().dropLast().enumerated() {
              sums[example] += value * size
            }
          }
          let seen = sums.map { $0.rounded() }
          #expect(zip(sums, seen).allSatisfy { abs($0 - $1) < 1e-4 })
          let comment = "\(sampling), \(copies) copies, \(shards) shards"
          if lastBatch == .keep || schedule.exampleCount % batch == 0 {
            #expect(seen == [Float](repeating: Float(copies), count: count), "\(comment)")
          } else {
            #expect(seen.allSatisfy { (0...Float(copies)).contains($0) }, "\(comment)")
            #expect(seen.reduce(0, +) == Float(schedule.stepsPerEpoch * batch), "\(comment)")
          }
        }
      }
    }
  }
}
