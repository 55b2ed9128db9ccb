// Which example stands at which position of an epoch.
import RandomNumbers

/// How an epoch orders the examples.
public enum Sampling: String, Sendable, CaseIterable {
  /// Every example once an epoch, in a new random order.
  case shuffle
  /// Every position draws an example uniformly, with replacement.
  case replacement
  /// The order of the file.
  case sequential
}

/// The order π_e of every epoch e: a function of (seed, e, position) alone, the same on every rank.
package struct Sampler: Sendable, Equatable {
  package let sampling: Sampling
  /// Examples in the data set.
  package let exampleCount: Int
  /// Copies of the data set that make up the training set.
  package let copies: Int
  package let seed: UInt64
  /// The examples of each class, where they come equally often.
  package let classes: ClassLists?

  package init(
    _ sampling: Sampling, exampleCount: Int, copies: Int = 1, seed: UInt64,
    balancing classes: ClassLists? = nil
  ) {
    precondition(exampleCount >= 1 && copies >= 1)
    self.sampling = sampling
    self.exampleCount = exampleCount
    self.copies = copies
    self.seed = seed
    self.classes = classes
  }

  /// Whether an example may come twice before another has come.
  package var drawsWithReplacement: Bool { sampling == .replacement || classes != nil }

  /// Positions in an epoch.
  package var count: Int { exampleCount * copies }

  package func order(epoch: Int) -> EpochOrder { EpochOrder(self, epoch: epoch) }
}

/// The order of one epoch. An object, so that a step that hands it on copies one reference.
package final class EpochOrder: Sendable {
  private enum Source: Sendable {
    case permutation(Permutation)
    case draws(Philox, below: Int)
    case identity
    case balanced(BalancedOrder)
  }

  let sampler: Sampler
  package let epoch: Int
  private let source: Source

  private var exampleCount: Int { sampler.exampleCount }

  fileprivate init(_ sampler: Sampler, epoch: Int) {
    self.sampler = sampler
    self.epoch = epoch
    if let classes = sampler.classes {
      source = .balanced(BalancedOrder(classes, count: sampler.count, seed: sampler.seed, epoch: epoch))
      return
    }
    switch sampler.sampling {
    case .shuffle:
      source = .permutation(Permutation(count: sampler.count, seed: sampler.seed, epoch: epoch))
    case .replacement:
      source = .draws(
        Philox(seed: sampler.seed, purpose: .replacement, epoch: epoch), below: sampler.count)
    case .sequential: source = .identity
    }
  }

  /// Writes the examples at `positions` to `indices`; shape (positions.count).
  package func fill(_ indices: UnsafeMutablePointer<Int>, positions: Range<Int>) {
    switch source {
    case .permutation(let permutation):
      permutation.fill(indices, positions: positions)
      if permutation.count > exampleCount {
        for i in 0..<positions.count { indices[i] = wrapped(indices[i]) }
      }
    case .draws(let random, let count):
      for (i, position) in positions.enumerated() {
        indices[i] = wrapped(random.integer(UInt64(position), below: count))
      }
    case .identity:
      for (i, position) in positions.enumerated() { indices[i] = wrapped(position) }
    case .balanced(let order): order.fill(indices, positions: positions)
    }
  }

  /// The example at one position.
  package func example(at position: Int) -> Int {
    var example = 0
    fill(&example, positions: position..<position + 1)
    return example
  }

  /// The examples at `positions` as a range, where they are one: file order, or, as a set, a whole shuffled epoch.
  /// A sum over them may then go through memory from front to back.
  @inline(__always)
  package func consecutiveExamples(at positions: Range<Int>, inOrder: Bool) -> Range<Int>? {
    switch source {
    case .permutation(let permutation):
      !inOrder && positions == 0..<exampleCount && permutation.count == exampleCount ? positions : nil
    case .draws, .balanced: nil
    case .identity: positions.upperBound <= exampleCount ? positions : nil
    }
  }

  /// The example of which training item `item` is a copy.
  @inline(__always)
  private func wrapped(_ item: Int) -> Int { item < exampleCount ? item : item % exampleCount }
}
