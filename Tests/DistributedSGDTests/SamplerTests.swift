// What an epoch is made of, in every mode of sampling.
import DataFormats
import DistributedSGD
import TestSupport
import Testing

/// How often each example comes in an epoch.
private func counts(_ sampler: Sampler, epoch: Int) -> [Int] {
  var counts = [Int](repeating: 0, count: sampler.exampleCount)
  for example in sampler.order(epoch: epoch).examples(at: 0..<sampler.count) { counts[example] += 1 }
  return counts
}

@Suite struct SamplerTests {
  @Test(arguments: [1, 2, 7, 100, 1_500], [1, 2, 3, 10]) func shuffleTakesEachOnceACopy(
    _ examples: Int, _ copies: Int
  ) {
    let sampler = Sampler(.shuffle, exampleCount: examples, copies: copies, seed: 4)
    #expect(sampler.count == examples * copies)
    for epoch in 0..<3 { #expect(counts(sampler, epoch: epoch) == [Int](repeating: copies, count: examples)) }
  }

  /// Copies are shuffled among each other, not one copy after the other.
  @Test func copiesMix() {
    let sampler = Sampler(.shuffle, exampleCount: 1_000, copies: 2, seed: 0)
    let firstHalf = sampler.order(epoch: 0).examples(at: 0..<1_000)
    // Each example is in the first half 0, 1 or 2 times: about 250, 500 and 250 of them.
    let twice = Dictionary(grouping: firstHalf) { $0 }.count { $0.value.count == 2 }
    #expect(abs(twice - 250) < 60)
  }

  @Test(arguments: [1, 3]) func sequentialKeepsTheFilesOrder(_ copies: Int) {
    let sampler = Sampler(.sequential, exampleCount: 10, copies: copies, seed: 4)
    for epoch in [0, 5] {
      let order = sampler.order(epoch: epoch).examples(at: 0..<sampler.count)
      #expect(order == (0..<10 * copies).map { $0 % 10 })
    }
  }

  @Test(arguments: [2, 10, 1_000], [1, 3]) func replacementDrawsUniformly(_ examples: Int, _ copies: Int) {
    let sampler = Sampler(.replacement, exampleCount: examples, copies: copies, seed: 4)
    var sum = [Int](repeating: 0, count: examples)
    for epoch in 0..<max(40, 20_000 / sampler.count) {
      for (example, count) in counts(sampler, epoch: epoch).enumerated() { sum[example] += count }
    }
    expectUniform(sum, "draws of \(examples)")
  }

  /// 1 − 1/e of the examples come at least once: it is not a permutation in disguise.
  @Test func replacementRepeats() {
    let distinct = counts(Sampler(.replacement, exampleCount: 10_000, seed: 4), epoch: 0).count { $0 > 0 }
    #expect(abs(Double(distinct) / 10_000 - 0.632) < 0.02)
  }

  @Test(arguments: [Sampling.shuffle, .replacement]) func epochsDiffer(_ sampling: Sampling) {
    let sampler = Sampler(sampling, exampleCount: 500, seed: 4)
    let orders = (0..<4).map { sampler.order(epoch: $0).examples(at: 0..<500) }
    #expect(Set(orders).count == 4)
    #expect(sampler.order(epoch: 2).examples(at: 0..<500) == orders[2])
    let other = Sampler(sampling, exampleCount: 500, seed: 5)
    #expect(other.order(epoch: 0).examples(at: 0..<500) != orders[0])
  }

  /// A rank that asks for its own positions sees what it would see among all.
  @Test(arguments: Sampling.allCases) func anyRangeCanBeAskedFor(_ sampling: Sampling) {
    let order = Sampler(sampling, exampleCount: 100, copies: 2, seed: 9).order(epoch: 3)
    let all = order.examples(at: 0..<200)
    for range in [0..<1, 17..<60, 199..<200, 50..<50] {
      #expect(order.examples(at: range) == Array(all[range]))
    }
  }
}
