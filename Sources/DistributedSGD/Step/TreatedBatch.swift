// The examples of one pass as training sees them: augmented, mixed, with shares of classes as targets.
import DataFormats
import NeuralNet

/// A copy of what a `BatchBuffer` has loaded, treated. Whatever is not treated is the buffer's own.
package final class TreatedBatch {
  private let treatment: Treatment
  private let dataset: Dataset
  private let loss: any Loss
  private let sharedLoss: (any SharedClassLoss)?
  private let seed: UInt64
  private let capacity: Int
  private let classCount: Int
  /// Shape (capacity, featureCount), and padding; nil where inputs stay as they are.
  private let inputs: UnsafeMutablePointer<Float>?
  /// Shape (featureCount): a partner as it is augmented.
  private let partner: UnsafeMutablePointer<Float>
  /// Shape (capacity, classes) of a class's shares; (capacity, targetCount) of mixed numbers.
  private let goals: UnsafeMutablePointer<Float>
  /// Shape (capacity), of mixed weights of numbers.
  private let mixedWeights: UnsafeMutablePointer<Float>
  /// Mixup's partners of the rows.
  private let partners: BatchBuffer?
  private var partnerPositions: [Int]
  private var partnerExamples: [Int]
  /// λ of each row, drawn once.
  private var ownShares: [Float]

  /// Of the pass that was prepared last.
  private(set) var features: UnsafePointer<Float>
  private var targets: TargetBuffer
  private var weights: UnsafePointer<Float>?

  /// nil where there is nothing to do.
  package init?(_ treatment: Treatment, of batch: BatchBuffer, loss: any Loss, seed: UInt64) {
    guard !treatment.isNothing else { return nil }
    self.treatment = treatment
    self.loss = loss
    sharedLoss = loss as? any SharedClassLoss
    self.seed = seed
    dataset = batch.dataset
    capacity = batch.capacity
    classCount = dataset.classCount ?? 0
    let floats = capacity * dataset.featureCount + BatchBuffer.padding
    inputs = treatment.needsOrder ? .allocate(capacity: floats) : nil
    inputs?.initialize(repeating: 0, count: floats)
    partner = .allocate(capacity: dataset.featureCount)
    let width = max(classCount, dataset.targetCount)
    goals = .allocate(capacity: capacity * width)
    goals.initialize(repeating: 0, count: capacity * width)
    mixedWeights = .allocate(capacity: capacity)
    partners = treatment.mixup == nil ? nil : BatchBuffer(dataset, capacity: capacity)
    partnerPositions = Array(repeating: 0, count: treatment.mixup == nil ? 0 : capacity)
    partnerExamples = partnerPositions
    ownShares = partnerPositions.map { _ in 1 }
    features = batch.features
    targets = batch.targets
  }

  deinit {
    inputs?.deallocate()
    partner.deallocate()
    goals.deallocate()
    mixedWeights.deallocate()
  }

  /// Whether targets are shares of classes.
  private var hasShares: Bool { classCount > 0 && (treatment.hasShares || treatment.mixup != nil) }

  /// Treats what `batch` has loaded.
  /// - Parameters:
  ///   - positions: of its rows in the epoch's order.
  ///   - whole: the global batch's.
  package func prepare(_ batch: BatchBuffer, _ order: EpochOrder, positions: Range<Int>, of whole: Range<Int>)
  {
    features = batch.features
    targets = batch.targets
    weights = batch.weights
    if let alpha = treatment.mixup {
      loadPartners(Mixing(alpha: alpha, seed: seed, epoch: order.epoch), order, positions, of: whole)
    }
    if let inputs { prepareInputs(inputs, batch, order.epoch, positions) }
    if hasShares {
      prepareShares(batch, rows: positions.count)
    } else if let partners {
      mixNumbers(batch, partners, rows: positions.count)
    }
  }

  private func loadPartners(
    _ mixing: Mixing, _ order: EpochOrder, _ positions: Range<Int>, of whole: Range<Int>
  ) {
    for (row, position) in positions.enumerated() {
      let other = mixing.partner(of: position, in: whole)
      partnerPositions[row] = other
      partnerExamples[row] = order.example(at: other)
      ownShares[row] = mixing.share(at: position)
    }
    partners?.load(indices: partnerExamples[..<positions.count])
  }

  private func prepareInputs(
    _ inputs: UnsafeMutablePointer<Float>, _ batch: BatchBuffer, _ epoch: Int, _ positions: Range<Int>
  ) {
    let width = dataset.featureCount
    let augmenter = treatment.augmentation.map {
      Augmenter($0, sizes: dataset.exampleShape.sizes, seed: seed, epoch: epoch)
    }
    for (row, position) in positions.enumerated() {
      let input = inputs + row * width
      if let augmenter {
        augmenter.augment(batch.features + row * width, position: position, into: input)
      } else {
        input.update(from: batch.features + row * width, count: width)
      }
      guard let partners else { continue }
      var other = partners.features + row * width
      if let augmenter {
        augmenter.augment(other, position: partnerPositions[row], into: partner)
        other = UnsafePointer(partner)
      }
      let share = ownShares[row]
      for i in 0..<width { input[i] = share * input[i] + (1 - share) * other[i] }
    }
    features = UnsafePointer(inputs)
  }

  private func prepareShares(_ batch: BatchBuffer, rows: Int) {
    goals.update(repeating: 0, count: rows * classCount)
    for row in 0..<rows {
      let shares = goals + row * classCount
      let share = partners == nil ? 1 : ownShares[row]
      let weight = batch.weights?[row] ?? 1
      add(batch.targets.classNumbers[row], factor: share * weight, to: shares)
      guard let partners else { continue }
      add(
        partners.targets.classNumbers[row], factor: (1 - share) * (partners.weights?[row] ?? 1), to: shares)
    }
  }

  /// The shares of an example's target, as `CrossEntropyLoss(weight=, label_smoothing=)` of PyTorch has them.
  private func add(_ label: Int32, factor: Float, to shares: UnsafeMutablePointer<Float>) {
    let smoothing = treatment.labelSmoothing ?? 0
    let classWeights = treatment.classWeights
    let even = smoothing / Float(classCount)
    if smoothing > 0 {
      for number in 0..<classCount { shares[number] += factor * (even * (classWeights?[number] ?? 1)) }
    }
    shares[Int(label)] += factor * ((1 - smoothing) * (classWeights?[Int(label)] ?? 1))
  }

  private func mixNumbers(_ batch: BatchBuffer, _ partners: BatchBuffer, rows: Int) {
    let width = dataset.targetCount
    let (own, others) = (batch.targets.numbers, partners.targets.numbers)
    for row in 0..<rows {
      let share = ownShares[row]
      for i in row * width..<(row + 1) * width { goals[i] = share * own[i] + (1 - share) * others[i] }
      if let first = batch.weights, let second = partners.weights {
        mixedWeights[row] = share * first[row] + (1 - share) * second[row]
      }
    }
    targets = .values(UnsafePointer(goals))
    if batch.weights != nil { weights = UnsafePointer(mixedWeights) }
  }

  /// The sum of the losses over rows; the output becomes the gradient of `scale` times that.
  package func gradient(
    _ output: UnsafeMutablePointer<Float>, rows: Range<Int>, columns: Int, scale: Float
  ) -> Double {
    if hasShares, let sharedLoss {
      return sharedLoss.gradient(
        output + rows.lowerBound * columns, shares: goals + rows.lowerBound * classCount, classes: classCount,
        rows: rows.count, columns: columns, scale: scale)
    }
    if let weights {
      return loss.gradient(output, targets, weights: weights, rows: rows, columns: columns, scale: scale)
    }
    return loss.gradient(
      output + rows.lowerBound * columns,
      targets.dropFirst(rows.lowerBound * (loss.takesSeveralTargets ? columns : 1)),
      rows: rows.count, columns: columns, scale: scale)
  }

  /// The same for pieces of the rows: `losses[i]` becomes `scale` times the sum of piece i.
  package func gradient(
    _ output: UnsafeMutablePointer<Float>, pieces: UnsafeBufferPointer<Int>, columns: Int, scale: Float,
    into losses: UnsafeMutablePointer<Float>
  ) {
    for piece in 0..<pieces.count - 1 {
      let sum = gradient(output, rows: pieces[piece]..<pieces[piece + 1], columns: columns, scale: scale)
      losses[piece] = Float(sum) * scale
    }
  }
}
