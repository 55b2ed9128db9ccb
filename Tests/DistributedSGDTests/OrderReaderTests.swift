// Lists that are read ahead must be the order's own, whatever is asked for.
import DistributedSGD
import RandomNumbers
import Testing

@Suite struct OrderReaderTests {
  private func expectSame(_ reader: OrderReader, _ order: EpochOrder, _ positions: Range<Int>) {
    var expected = [Int](repeating: -1, count: positions.count)
    order.fill(&expected, positions: positions)
    let found = reader.examples(of: order, at: positions)
    #expect(Array(UnsafeBufferPointer(start: found, count: positions.count)) == expected, "\(positions)")
  }

  @Test(arguments: [Sampling.shuffle, .replacement, .sequential], [1, 7, 100, 4_000])
  func batchesOfSomeEpochs(_ sampling: Sampling, _ batch: Int) {
    let sampler = Sampler(sampling, exampleCount: 5_003, copies: 2, seed: 9)
    let schedule = BatchSchedule(exampleCount: sampler.count, globalBatch: batch, lastBatch: .keep)
    let reader = OrderReader(maximumCount: batch)
    for epoch in 0..<3 {
      let order = sampler.order(epoch: epoch)
      for step in 0..<schedule.stepsPerEpoch { expectSame(reader, order, schedule.positions(step: step)) }
    }
  }

  /// What one rank of several asks for, and ranges in no order at all, from two orders in turn.
  @Test func partsOfBatches() {
    let orders = [3, 4].map { Sampler(.shuffle, exampleCount: 1_500, seed: $0).order(epoch: 1) }
    let reader = OrderReader(maximumCount: 1_500)
    for step in 0..<11 { expectSame(reader, orders[0], step * 128 + 32..<step * 128 + 64) }
    let numbers = Philox(seed: 2, purpose: .syntheticData)
    for draw: UInt64 in 0..<500 {
      let start = numbers.integer(3 * draw, below: 1_501)
      let end = start + numbers.integer(3 * draw + 1, below: 1_501 - start)
      expectSame(reader, orders[numbers.integer(3 * draw + 2, below: 8) == 0 ? 1 : 0], start..<end)
    }
  }
}
