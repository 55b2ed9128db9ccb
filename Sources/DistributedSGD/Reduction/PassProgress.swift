// How far a step's passes are, told bucket by bucket: parameters may be on their way when the step begins, and gradients
// when it has yet to end.
import MPI
import NeuralNet

/// Follows the passes of a rank's step for the buckets' sake.
package final class PassProgress: PassObserver {
  private let gates: BucketGates
  private let courier: Courier
  private let layout: ArenaLayout
  private let addition: TreeAddition
  /// Begins a step's messages.
  private let begin: () throws(MPIError) -> Void
  private var hasBegun = false
  /// Gradients from here on are told of.
  private var told: Int
  /// What the last pass leaves, where that is one shard's gradient.
  private var leaf: UnsafeMutablePointer<Float>?
  /// Sums of other passes of this rank, which go to where the last pass adds its own: from the inside of the tree out.
  private var sums: [(target: UnsafeMutablePointer<Float>, source: UnsafePointer<Float>)] = []
  /// Where the time goes that a pass waits.
  weak var clock: PhaseClock?
  /// What went wrong in a pass, which goes on to its end.
  private var failure: MPIError?

  init(
    _ gates: BucketGates, _ courier: Courier, _ layout: ArenaLayout, _ addition: TreeAddition,
    begin: @escaping () throws(MPIError) -> Void
  ) {
    self.gates = gates
    self.courier = courier
    self.layout = layout
    self.addition = addition
    self.begin = begin
    told = layout.parameterCount
  }

  package func hasArrived(upTo end: Int) -> Bool { gates.hasArrived(upTo: end) }

  package func willRead(upTo end: Int) {
    if gates.hasArrived(upTo: end) { return }
    clock?.mark(.forward)
    courier.awaited { gates.awaitArrival(upTo: end) { courier.hasFailed } }
    clock?.markMessages(isFirst: false)
  }

  /// The tree's next sum up from the one that the last pass makes: it is added where and when that is there.
  func add(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>) {
    sums.insert((target, source), at: 0)
  }

  /// What the last pass makes is a shard's gradient, to be rounded as such.
  func round(leaf: UnsafeMutablePointer<Float>) { self.leaf = leaf }

  package func didSum(downTo start: Int) {
    guard start < told else { return }
    let count = told - start
    if let leaf { addition.roundLeaf(leaf + start, offset: start, count: count) }
    for (target, source) in sums {
      addition.add(target + start, source + start, offset: start, count: count)
    }
    told = start
    beginOnce()
    gates.sum(downTo: start)
  }

  package func didRead(downTo start: Int) { gates.release(downTo: start) }

  private func beginOnce() {
    guard !hasBegun else { return }
    hasBegun = true
    do throws(MPIError) { try begin() } catch { failure = failure ?? error }
  }

  /// The passes of a step are over, and the loss is there.
  /// - Throws: what they have met with.
  func end() throws(MPIError) {
    beginOnce()
    if let failure { throw failure }
    gates.sumAll()
    gates.release(downTo: 0)
    hasBegun = false
    told = layout.parameterCount
    sums.removeAll(keepingCapacity: true)
    leaf = nil
  }
}
