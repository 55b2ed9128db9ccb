// Epochs in which all classes come equally often: `--balance`.
import RandomNumbers

/// The examples of each class. Eight bytes an example on every rank.
package final class ClassLists: Sendable, Equatable {
  /// Of the classes that have examples; each in the data set's order.
  let examples: [[Int]]

  /// - Parameter labels: shape (count)
  package init(_ labels: UnsafeBufferPointer<Int32>, classCount: Int) {
    var lists = [[Int]](repeating: [], count: classCount)
    for (example, label) in labels.enumerated() { lists[Int(label)].append(example) }
    examples = lists.filter { !$0.isEmpty }
  }

  package static func == (one: ClassLists, other: ClassLists) -> Bool { one === other }
}

/// One epoch's order: a permutation of as many positions as the training set has examples, whose things take turns among
/// the classes, and a permutation of each class's examples, which begins again where a class has too few. So classes
/// differ by one example an epoch at most, and so do the examples of a class.
struct BalancedOrder: Sendable {
  private let classes: ClassLists
  private let turns: Permutation
  private let orders: [Permutation]

  init(_ classes: ClassLists, count: Int, seed: UInt64, epoch: Int) {
    self.classes = classes
    turns = Permutation(count: count, seed: seed, epoch: epoch)
    orders = classes.examples.enumerated().map { number, examples in
      // A seed of its own for every class: a permutation has no other word for it.
      let own = Philox(seed: seed, purpose: .balance).bits(UInt64(number))
      return Permutation(count: examples.count, seed: own, epoch: epoch, purpose: .balance)
    }
  }

  /// The examples at `positions`; shape (positions.count).
  func fill(_ indices: UnsafeMutablePointer<Int>, positions: Range<Int>) {
    turns.fill(indices, positions: positions)
    for i in 0..<positions.count {
      let (place, number) = indices[i].quotientAndRemainder(dividingBy: orders.count)
      let examples = classes.examples[number]
      indices[i] = examples[orders[number][place % examples.count]]
    }
  }
}
