// The table: what every job would take for every batch, and which of them is worth its ranks.
import Glibc

/// One job with one global batch.
package struct Prediction: Sendable, Equatable {
  package let shape: JobShape
  package let batch: Int
  /// Of a step, and of its messages alone.
  package let seconds, messageSeconds: Double
  package let isMeasured: Bool
  /// Throughput over P times that of one rank with the same batch.
  package let efficiency: Double
  package let epochSeconds: Double
  /// To the loss; nil where no run tells of it.
  package let steps, secondsToLoss: Double?
  /// Seconds to a loss over those of a step with S = S_min: what is to be small. nil where the noise is not known.
  package let relativeSeconds: Double?

  package var worldSize: Int { shape.worldSize }
  package var examplesPerSecond: Double { Double(batch) / seconds }
}

/// The predictions of a cost model, and what they say.
package struct Forecast: Sendable, Equatable {
  package let predictions: [Prediction]
  /// nil where the noise is not known.
  package let statistics: BatchStatistics?
  /// The batch that was asked for.
  package let batch: Int

  /// By how much twice as many ranks must be faster to be worth it.
  package static let worthwhile = 1.1

  /// - Parameters:
  ///   - examples: of an epoch; batches beyond them are left out.
  package init(
    _ model: CostModel, shapes: [JobShape], batches: [Int], batch: Int, examples: Int,
    statistics: BatchStatistics?
  ) {
    self.statistics = statistics
    self.batch = batch
    var predictions: [Prediction] = []
    for batch in batches where batch <= examples {
      let one = model.step(JobShape(servers: 1, ranks: 1), batch: batch)
      for shape in shapes {
        guard let step = model.step(shape, batch: batch) else { continue }
        let steps = statistics?.steps(batch: batch)
        predictions.append(
          Prediction(
            shape: shape, batch: batch, seconds: step.seconds, messageSeconds: step.messages,
            isMeasured: model.isMeasured(shape, batch: batch),
            efficiency: one.map { $0.seconds / (Double(shape.worldSize) * step.seconds) } ?? .nan,
            epochSeconds: Double(examples) / Double(batch) * step.seconds, steps: steps,
            secondsToLoss: steps.map { $0 * step.seconds },
            relativeSeconds: statistics.map { $0.relativeSteps(batch: batch) * step.seconds }))
      }
    }
    self.predictions = predictions
  }

  /// What is to be small: time to a loss where the noise is known, else a step's of the batch that was asked for.
  private func cost(_ prediction: Prediction) -> Double? {
    prediction.relativeSeconds ?? (prediction.batch == batch ? prediction.seconds : nil)
  }

  /// The fastest of each number of ranks, ascending by them.
  private var fastest: [(prediction: Prediction, cost: Double)] {
    var best: [Int: (prediction: Prediction, cost: Double)] = [:]
    for prediction in predictions {
      guard let cost = cost(prediction), cost.isFinite else { continue }
      if let known = best[prediction.worldSize], known.cost <= cost { continue }
      best[prediction.worldSize] = (prediction, cost)
    }
    return best.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The fastest job of which each doubling of the ranks was still worth it; nil where nothing is predicted.
  package var recommended: Prediction? {
    guard var best = fastest.first else { return nil }
    for next in fastest.dropFirst() {
      let doublings = log2(Double(next.prediction.worldSize) / Double(best.prediction.worldSize))
      if best.cost / next.cost >= pow(Self.worthwhile, doublings) { best = next }
    }
    return best.prediction
  }

  /// The most ranks of the table.
  package var mostRanks: Int { predictions.map(\.worldSize).max() ?? 0 }
}
