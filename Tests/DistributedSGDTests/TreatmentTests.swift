// Examples on their way into a step: against PyTorch's losses, draws made anew by NumPy, and by what must be true of them.
import DataFormats
import DistributedSGD
import Foundation
import MPI
import NeuralNet
import TestSupport
import Testing

/// What make_inputs.py has written.
private struct InputGoldens: Decodable {
  struct Loss: Decodable {
    let smoothing: Float
    let weights: [Float]?
    let z, gradient: [Float]
    let labels: [Int32]
    let loss: Double
  }

  struct Mixture: Decodable {
    let alpha: Double
    let partners: [Int]
    let shares: [Double]
  }

  let losses: [Loss]
  let mixtures: [Mixture]

  static func read() throws -> InputGoldens {
    let path = packageFolder + "/Tests/Reference/inputs.json"
    return try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }
}

@Suite struct TreatmentTests {
  private static let arithmetics = [Arithmetic.blas] + Instructions.available.map { .portable($0) }

  @Test(arguments: arithmetics) func smoothedLabelsAndWeightsAsPyTorch(
    _ arithmetic: Arithmetic
  )
    throws
  {
    for golden in try InputGoldens.read().losses {
      let rows = golden.labels.count
      let examples = Examples(
        count: rows, featureCount: 1, features: .float32([Float](repeating: 0, count: rows)),
        targets: .labels(golden.labels, classCount: 5))
      let communicator = SingleProcessCommunicator()
      let dataset = try Dataset(sharing: examples, over: communicator)
      let batch = BatchBuffer(dataset, capacity: rows)
      let order = Sampler(.sequential, exampleCount: rows, seed: 0).order(epoch: 0)
      var treatment = Treatment()
      treatment.labelSmoothing = golden.smoothing
      treatment.classWeights = golden.weights
      let loss = CrossEntropy().computed(by: arithmetic)
      let treated = try #require(TreatedBatch(treatment, of: batch, loss: loss, seed: 0))
      batch.load(order, positions: 0..<rows, keepsOrder: true)
      treated.prepare(batch, order, positions: 0..<rows, of: 0..<rows)
      let scale =
        BatchWeights(dataset, treatment, seed: 0)?.scale(order, positions: 0..<rows) ?? 1 / Float(rows)
      var z = golden.z
      let sum = treated.gradient(&z, rows: 0..<rows, columns: 5, scale: scale)
      #expect(abs(sum * Double(scale) - golden.loss) < 1e-5 * max(1, abs(golden.loss)))
      for (found, expected) in zip(z, golden.gradient) { #expect(abs(found - expected) < 1e-6) }
      withExtendedLifetime((communicator, dataset)) {}
    }
  }

  /// A class of two has shares as one of many.
  @Test(arguments: arithmetics) func twoClassesByOneOutput(_ arithmetic: Arithmetic) {
    let shares: [Float] = [0.9, 0.1, 0, 3, 0.25, 0.5, 0, 0]
    let z: [Float] = [0.3, -2, 40, .nan]
    var one = z
    var two: [Float] = [0, 0.3, 0, -2, 0, 40, 0, .nan]
    let binary = BinaryCrossEntropy().computed(by: arithmetic)
      .gradient(&one, shares: shares, classes: 2, rows: 4, columns: 1, scale: 0.5)
    let several = CrossEntropy().computed(by: arithmetic)
      .gradient(&two, shares: shares, classes: 2, rows: 4, columns: 2, scale: 0.5)
    #expect(abs(binary - several) < 1e-5)
    for row in 0..<4 { #expect(abs(one[row] - two[2 * row + 1]) < 1e-6) }
  }

  @Test func mixupDrawsAsMadeAnew() throws {
    for golden in try InputGoldens.read().mixtures {
      let mixing = Mixing(alpha: golden.alpha, seed: (1 << 40) + 7, epoch: 3)
      for (i, position) in (64..<104).enumerated() {
        #expect(mixing.partner(of: position, in: 64..<104) == golden.partners[i])
        #expect(abs(Double(mixing.share(at: position)) - golden.shares[i]) < 1e-6)
      }
    }
  }

  /// Mean ½ and variance 1 / (4 (2α + 1)).
  @Test(arguments: [0.2, 1, 5]) func sharesAreOfABetaDistribution(_ alpha: Double) {
    let mixing = Mixing(alpha: alpha, seed: 5, epoch: 1)
    let shares = (0..<20_000).map { Double(mixing.share(at: $0)) }
    let mean = shares.reduce(0, +) / 20_000
    let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
    #expect(abs(mean - 0.5) < 0.015 && shares.allSatisfy { 0...1 ~= $0 })
    #expect(abs(variance * 4 * (2 * alpha + 1) - 1) < 0.05)
  }

  private func augmented(_ words: String, _ picture: [Float], position: Int, epoch: Int = 2) throws -> [Float]
  {
    let augmentation = try #require(Augmentation(words))
    var result = [Float](repeating: -1, count: picture.count)
    Augmenter(augmentation, sizes: [2, 5, 6], seed: 3, epoch: epoch)
      .augment(picture, position: position, into: &result)
    return result
  }

  /// Every picture is one of the crops of the padded one, all of which occur, or its mirror image.
  @Test func cropsAndMirrorImages() throws {
    let picture = (1...60).map(Float.init)
    func crop(_ down: Int, _ right: Int, _ isMirrored: Bool) -> [Float] {
      (0..<60).map { index in
        let (x, y) = (isMirrored ? 5 - index % 6 : index % 6, index / 6 % 5)
        let inside = 0..<6 ~= x + right && 0..<5 ~= y + down
        return inside ? picture[index / 30 * 30 + (y + down) * 6 + x + right] : 0
      }
    }
    var all: Set<[Float]> = []
    for down in -2...2 {
      for right in -2...2 { for flip in [false, true] { all.insert(crop(down, right, flip)) } }
    }
    let found = try (0..<1_000).map { try augmented("crop:2,flip", picture, position: $0) }
    #expect(all.count == 50 && Set(found) == all)
    #expect(try augmented("flip,crop:2", picture, position: 9) == found[9])
    #expect(
      try (0..<20).contains { try augmented("crop:2,flip", picture, position: $0, epoch: 3) != found[$0] })
    let mirrored = try (0..<1_000).count { try augmented("flip", picture, position: $0) != picture }
    #expect((430...570).contains(mirrored))
  }

  @Test func cutoutLeavesTheRest() throws {
    let picture = (1...60).map(Float.init)
    var middles: Set<[Float]> = []
    for position in 0..<600 {
      let found = try augmented("cutout:3", picture, position: position)
      let zeros = (0..<60).filter { found[$0] == 0 }
      #expect((0..<60).allSatisfy { found[$0] == 0 || found[$0] == picture[$0] })
      #expect([8, 12, 18].contains(zeros.count) && zeros.count { $0 < 30 } * 2 == zeros.count)
      middles.insert(found)
    }
    #expect(middles.count == 30)
  }

  @Test(arguments: [
    "", "crop", "crop:0", "crop:-1", "crop:2,crop:2", "flip:1", "flip,flip", "blur:2", "crop:2,",
  ])
  func otherWords(_ text: String) { #expect(Augmentation(text) == nil) }

  /// Classes come equally often, give or take one, and so do the examples of each.
  @Test(arguments: [1, 3]) func balancedEpochs(_ copies: Int) {
    let labels = (0..<503).map { Int32($0 % 100 == 0 ? 2 : $0 % 7 == 0 ? 0 : 4) }
    let lists = labels.withUnsafeBufferPointer { ClassLists($0, classCount: 6) }
    let sampler = Sampler(.shuffle, exampleCount: 503, copies: copies, seed: 8, balancing: lists)
    var orders: Set<[Int]> = []
    for epoch in 0..<3 {
      let order = sampler.order(epoch: epoch)
      var examples = [Int](repeating: 0, count: sampler.count)
      order.fill(&examples, positions: 0..<sampler.count)
      #expect(examples[17] == order.example(at: 17))
      for label in [0, 2, 4] {
        let own = examples.filter { labels[$0] == label }
        #expect(abs(own.count - sampler.count / 3) <= 1)
        let counts = (0..<503).filter { labels[$0] == label }.map { example in own.count { $0 == example } }
        #expect(counts.max()! - counts.min()! <= 1)
      }
      orders.insert(examples)
    }
    #expect(orders.count == 3)
  }
}
