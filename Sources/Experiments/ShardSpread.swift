// How far mean and deviation of a few examples are from those of all: the noise that batch normalisation puts into a net.
import CKernels
import DistributedSGD
import NeuralNet
import Runs

/// Statistics of groups of examples at a batch norm's place in a trained model, against those of all examples.
struct ShardSpread {
  /// The root mean square over channels and groups of (μ of the group − μ of all) / σ of all.
  let mean: Double
  /// That of (σ of the group / σ of all) − 1.
  let deviation: Double

  /// Examples that are looked at, at most.
  private static let mostExamples = 16_384

  /// At the first batch norm of a run's model, with its parameters as they are, groups as an epoch's order makes them.
  /// - Parameter group: examples of each.
  /// - Precondition: there is a batch norm among the model's layers, and the data have a group.
  init(of run: TrainingRun, group: Int) {
    let model = run.trainer.model
    let count = min(run.trainer.dataset.count, Self.mostExamples) / group * group
    guard let place = model.layers.firstIndex(where: { $0 is BatchNorm }), count > 0 else {
      preconditionFailure("a model with a batch norm, on enough examples")
    }
    let values = Self.values(of: run, before: place, count: count)
    let channels = values.shape.sizes[0]
    let size = values.shape.count / channels
    var all = Moments(channels: channels)
    all.measure(values.numbers, first: 0, rows: count, size: size)
    var one = Moments(channels: channels)
    var (means, deviations) = (0.0, 0.0)
    for first in stride(from: 0, to: count, by: group) {
      one.measure(values.numbers, first: first, rows: group, size: size)
      // A channel without a deviation, as of a unit that is never awake, has no noise either.
      for c in 0..<channels where all.deviations[c] > 0 {
        let distance = (one.means[c] - all.means[c]) / all.deviations[c]
        let ratio = one.deviations[c] / all.deviations[c] - 1
        means += distance * distance
        deviations += ratio * ratio
      }
    }
    let awake = all.deviations.count { $0 > 0 }
    let terms = Double(max(1, awake * (count / group)))
    mean = (means / terms).squareRoot()
    deviation = (deviations / terms).squareRoot()
  }

  /// What comes to the layer at `place`, of the first examples of an epoch's order.
  private static func values(
    of run: TrainingRun, before place: Int, count: Int
  ) -> (numbers: [Float], shape: Shape) {
    let model = run.trainer.model
    let batch = BatchBuffer(run.trainer.dataset, capacity: min(256, count))
    let order = run.sampler.order(epoch: 0)
    guard place > 0, let front = try? Sequential(Array(model.layers[..<place]), input: model.inputShape)
    else {
      var numbers: [Float] = []
      load(batch, order, count) { numbers += UnsafeBufferPointer(start: $0, count: $1 * model.inputCount) }
      return (numbers, model.inputShape)
    }
    let network = Network(front, maximumRows: batch.capacity)
    let parameters = UnsafePointer(run.trainer.parameters.baseAddress!)
    var numbers: [Float] = []
    load(batch, order, count) { inputs, rows in
      let output = network.forward(parameters: parameters, input: inputs, rows: rows)
      numbers += UnsafeBufferPointer(start: output, count: rows * front.outputCount)
    }
    return (numbers, front.outputShape)
  }

  private static func load(
    _ batch: BatchBuffer, _ order: EpochOrder, _ count: Int, _ body: (UnsafePointer<Float>, Int) -> Void
  ) {
    for start in stride(from: 0, to: count, by: batch.capacity) {
      let rows = min(batch.capacity, count - start)
      batch.load(order, positions: start..<start + rows, keepsOrder: true)
      body(batch.features, rows)
    }
  }
}

/// Mean and deviation of each channel.
private struct Moments {
  var means, deviations: [Double]

  init(channels: Int) {
    means = [Double](repeating: 0, count: channels)
    deviations = means
  }

  /// Of `rows` rows from `first` on.
  mutating func measure(_ numbers: [Float], first: Int, rows: Int, size: Int) {
    let channels = means.count
    numbers.withUnsafeBufferPointer {
      ckernels_channel_moments(
        &means, &deviations, $0.baseAddress! + first * channels * size, rows, channels, size)
    }
    for c in 0..<channels { deviations[c] = (deviations[c] / Double(rows * size)).squareRoot() }
  }
}
