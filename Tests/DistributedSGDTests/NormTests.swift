// Norms with the same bits wherever their parts are computed, and parts of the arena that are treated apart.
import CKernels
import DistributedSGD
import MPI
import NeuralNet
import RandomNumbers
import TestSupport
import Testing

/// Keeps the mean of what it sees beside a factor and a shift: tensors of all roles.
private struct Keeper: Layer, PlainlyNamed {
  static let names = ["keeper"]

  func output(of input: Shape) -> Shape { input }

  func tensors(of input: Shape) -> [TensorRequest] {
    [
      TensorRequest("weight", shape: [input.count], role: .scale),
      TensorRequest("bias", shape: [input.count], role: .shift),
      TensorRequest("mean", shape: [input.count], role: .statistic(momentum: 0.25, initial: 3)),
    ]
  }

  func prepared(_ place: LayerPlace) -> any LayerPass { KeeperPass(place) }
}

/// y = x; what it leaves in the place of the mean's gradient is 1 for each row, over `batch`.
private final class KeeperPass: LayerPass {
  static let batch: Float = 10
  private let offsets: [Int]
  private let width: Int

  init(_ place: LayerPlace) {
    offsets = place.offsets
    width = place.input.count
  }

  func forward(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass
  ) { _ = y.update(fromContentsOf: x) }

  func backward(
    _ dy: UnsafeBufferPointer<Float>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>?, _ pass: borrowing Pass, gradient: borrowing GradientSum
  ) {
    gradient.add(offsets[0]..<offsets[0] + 3 * width) { rows, target in
      for i in 0..<width { target[2 * width + i] += Float(rows.count) / Self.batch }
    }
    if let dx { _ = dx.update(fromContentsOf: dy) }
  }
}

@Suite struct NormTests {
  private let numbers = Philox(seed: 4, purpose: .syntheticData)

  /// One kernel call for a piece gives what the formula in docs/arithmetic.md does.
  @Test(arguments: [0, 1, 15, 16, 17, 31, 32, 100, 1023, 1024]) func sumOfSquares(_ count: Int) {
    let x = (0..<count).map { Float(numbers.normal(UInt64($0))) }
    var sums = [Double](repeating: 0, count: 16)
    for (i, value) in x.enumerated() { sums[i % 16] += Double(value) * Double(value) }
    while sums.count > 1 {
      sums = stride(from: 0, to: sums.count, by: 2).map { sums[$0] + sums[$0 + 1] }
    }
    #expect(ckernels_sum_of_squares(x, count) == sums[0])
  }

  /// Every trained element is in one piece, each piece in one block, one tensor and one rank's part.
  @Test func piecesLieInOnePart() throws {
    let model = try Sequential(
      [Dense(700), Keeper(), Activation.tanh, Dense(90), Dense(3)], input: Shape(20))
    let plan = NormPlan(tensors: model.tensors, parameterCount: model.parameterCount)
    let trained = model.tensors.filter(\.role.isTrained)
    #expect(trained.count == model.tensors.count - 1 && model.trainedCount == model.parameterCount - 700)
    #expect(plan.starts.count == trained.count + 1)
    for (index, tensor) in trained.enumerated() {
      let own = plan.pieces[plan.starts[index]..<plan.starts[index + 1]]
      #expect(tensor.range == own.first!.lowerBound..<own.last!.upperBound)
      #expect(zip(own, own.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    }
    for piece in plan.pieces {
      #expect(piece.lowerBound / ArenaLayout.block == (piece.upperBound - 1) / ArenaLayout.block)
    }
    let layout = ArenaLayout(parameterCount: model.parameterCount)
    for worldSize in 1...40 {
      let owned = (0..<worldSize).map { plan.pieces(in: layout.ownedRange(of: $0, worldSize: worldSize)) }
      let all = owned.filter { !$0.isEmpty }
      #expect(
        [0] + all.map(\.upperBound) == all.map(\.lowerBound) + [plan.pieces.count], "\(worldSize) ranks")
      for (rank, pieces) in owned.enumerated() {
        let range = layout.ownedRange(of: rank, worldSize: worldSize)
        #expect(plan.pieces[pieces].allSatisfy { $0.clamped(to: range) == $0 })
      }
    }
  }

  /// The norm of a gradient that is written down, and what clipping makes of it.
  @Test(arguments: [1, 1_023, 5_000]) func clipping(_ count: Int) throws {
    let gradient = (0..<count).map { Float(numbers.normal(UInt64($0))) }
    let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    for limit in [norm / 2, norm * 2] {
      let communicator = SingleProcessCommunicator()
      let reduction = try GradientReduction(
        parameterCount: count, shards: Shards(count: 1, worldSize: 1), activeShards: [1],
        rule: UpdateRule(SGD(), clipping: .norm(limit)), communicator: communicator)
      reduction.parameters.update(repeating: 0, count: count)
      reduction.gradientBuffer(0).update(from: gradient, count: count)
      reduction.gradientBuffer(0)[count] = 0.5
      reduction.begin(activeShards: 1, step: 1, learningRate: 1, measured: .halves)
      try reduction.reduceAndUpdate(clock: PhaseClock())
      let found = try #require(reduction.gradientNorm)
      #expect(abs(found - norm) < 1e-12 * norm && reduction.loss == 0.5)
      let factor = Float(min(1, limit / (found + 1e-6)))
      #expect((0..<count).allSatisfy { reduction.parameters[$0] == -(factor * gradient[$0]) })
      withExtendedLifetime(communicator) {}
    }
  }

  /// A gradient that is no number must not be clipped to one.
  @Test(arguments: [Float.nan, .infinity]) func whatIsNoNumberStays(_ value: Float) throws {
    for clipping in [Clipping.norm(1), .value(1)] where value.isNaN || clipping == .norm(1) {
      let communicator = SingleProcessCommunicator()
      let reduction = try GradientReduction(
        parameterCount: 3, shards: Shards(count: 1, worldSize: 1), activeShards: [1],
        rule: UpdateRule(SGD(), clipping: clipping), communicator: communicator)
      reduction.parameters.update(repeating: 0, count: 3)
      reduction.gradientBuffer(0).update(from: [1, value, 1, 0], count: 4)
      reduction.begin(activeShards: 1, step: 1, learningRate: 1)
      try reduction.reduceAndUpdate(clock: PhaseClock())
      #expect(reduction.parameters[1].isNaN)
      withExtendedLifetime(communicator) {}
    }
  }

  /// Statistics become averages of what the shards leave, whatever optimizer, decay and clipping do to the rest.
  @Test(
    arguments: ["sgd:weight-decay=0.5", "adam", "lars:weight-decay=0.1", "lamb"],
    [nil, .norm(1e-3), .value(1e-3)] as [Clipping?])
  func statisticsAreAveraged(_ optimizer: String, _ clipping: Clipping?) throws {
    let model = try Sequential([Dense(6), Keeper(), Dense(1)], input: Shape(4))
    var training = TrainerCase(
      .random(count: 10, features: 4, classes: nil), model, SquaredLoss(), batch: 10)
    Initialization.uniform.fill(&training.parameters, of: model, seed: 1)
    training.shards = 3
    training.clipping = clipping
    training.measuresNorms = true
    let outcome = try training.run(steps: 5, optimizer: Catalog.optimizer(optimizer))
    var mean: Float = 3
    for _ in 0..<5 { mean = 0.75 * mean + 0.25 * (0.4 + 0.3 + 0.3) }
    let tensor = model.tensors.first { !$0.role.isTrained }!
    for i in tensor.range { #expect(abs(outcome.parameters[i] - mean) < 1e-6) }
    // Its place in the gradient holds ones, which the norm leaves out.
    var without = training
    without.model = try Sequential([Dense(6), Dense(1)], input: Shape(4))
    without.parameters = model.tensors.filter { $0.name.hasPrefix("0.") || $0.name.hasPrefix("2.") }
      .flatMap { training.parameters[$0.range] }
    let plain = try without.run(steps: 1, optimizer: SGD())
    #expect(abs(outcome.norms[0] - plain.norms[0]) < 1e-6 * plain.norms[0])
  }
}
