// Where a run is between two steps: all that goes on from one step to the next, beside the parameters.
import DataFormats
import DistributedSGD

/// The place of a run after a step and all that was told of it, before the end of its epoch is told.
package struct RunState: Sendable, Equatable {
  /// Updates made.
  package var step = 0
  /// Epochs done.
  package var epoch = 0
  /// Updates made in this epoch.
  package var stepOfEpoch = 0
  /// Examples seen since the start.
  package var examples = 0
  /// Training time since the start, evaluation excluded.
  package var trainingSeconds = 0.0
  /// Of the batches of this epoch.
  package var epochLoss = WeightedMean()
  package var lastEvaluation: EvaluationPoint?
  /// Of the evaluations on the validation set; nil where none is looked at.
  package var best: BestEvaluation?
  /// Parameters that are in the average.
  package var averagedCount = 0
  /// Of the gradients, by the steps whose norm was measured.
  package var noise = NoiseScale()

  package init() {}

  /// Another step of `count` examples is done.
  mutating func advance(loss: Float, examples count: Int) {
    step += 1
    stepOfEpoch += 1
    epochLoss.add(Double(loss), weight: count)
    examples += count
  }
}

/// A mean over examples, added up in double precision.
package struct WeightedMean: Sendable, Equatable {
  package var sum = 0.0
  package var weight = 0

  package init() {}

  package mutating func add(_ value: Double, weight: Int) {
    sum += value * Double(weight)
    self.weight += weight
  }

  package var value: Double { weight == 0 ? 0 : sum / Double(weight) }
}

/// An evaluation, and when it was made.
public struct EvaluationPoint: Sendable, Equatable {
  /// Examples trained on before it.
  public var examples: Int
  /// Training time before it.
  public var seconds: Double
  /// Loss and measures.
  public var evaluation: Evaluation

  package init(examples: Int, seconds: Double, evaluation: Evaluation) {
    self.examples = examples
    self.seconds = seconds
    self.evaluation = evaluation
  }
}

/// The best evaluation of a run so far.
package struct BestEvaluation: Sendable, Equatable {
  /// The smallest validation loss.
  package var loss: Double
  /// Updates made by then.
  package var step: Int
  /// Evaluations since.
  package var since = 0
}

extension RunState {
  /// As words; a double's are the shortest that read back as the same bits.
  package var words: [String: String] {
    var words = [
      "step": "\(step)", "epoch": "\(epoch)", "stepOfEpoch": "\(stepOfEpoch)", "examples": "\(examples)",
      "trainingSeconds": "\(trainingSeconds)", "epochLossSum": "\(epochLoss.sum)",
      "epochLossWeight": "\(epochLoss.weight)",
    ]
    if let best {
      words["bestLoss"] = "\(best.loss)"
      words["bestStep"] = "\(best.step)"
      words["evaluationsSinceBest"] = "\(best.since)"
    }
    if averagedCount > 0 { words["averagedCount"] = "\(averagedCount)" }
    if noise.count > 0 {
      words["noiseTrace"] = "\(noise.covarianceTrace)"
      words["noiseSquaredNorm"] = "\(noise.squaredNorm)"
      words["noiseSamples"] = "\(noise.count)"
    }
    if let point = lastEvaluation {
      words["evaluationExamples"] = "\(point.examples)"
      words["evaluationSeconds"] = "\(point.seconds)"
      words["evaluationLoss"] = "\(point.evaluation.loss)"
      for measure in point.evaluation.measures {
        words[Self.measurePrefix + measure.name] = "\(measure.value)"
      }
      // Their order, which words do not have.
      if point.evaluation.measures.count > 1 {
        for (place, measure) in point.evaluation.measures.enumerated() {
          words[Self.placePrefix + measure.name] = "\(place)"
        }
      }
    }
    return words
  }

  /// - Throws: `DistsgdError` (`badData`) when a word is missing or makes no sense.
  package init(_ words: CheckpointWords) throws {
    step = try words.count("step")
    epoch = try words.count("epoch")
    stepOfEpoch = try words.count("stepOfEpoch")
    examples = try words.count("examples")
    trainingSeconds = try words.number("trainingSeconds")
    epochLoss.sum = try words.number("epochLossSum")
    epochLoss.weight = try words.count("epochLossWeight")
    if words["bestStep"] != nil {
      best = BestEvaluation(
        loss: try words.number("bestLoss"), step: try words.count("bestStep"),
        since: try words.count("evaluationsSinceBest"))
    }
    if words["averagedCount"] != nil { averagedCount = try words.count("averagedCount") }
    if words["noiseSamples"] != nil {
      noise.covarianceTrace = try words.number("noiseTrace")
      noise.squaredNorm = try words.number("noiseSquaredNorm")
      noise.count = try words.count("noiseSamples")
    }
    guard words["evaluationExamples"] != nil else { return }
    let names = words.words.keys.filter { $0.hasPrefix(Self.measurePrefix) }
      .map { $0.dropFirst(Self.measurePrefix.count) }
    let places = names.map { words[Self.placePrefix + $0].flatMap { Int($0) } ?? 0 }
    let measures = try zip(places, names).sorted { $0 < $1 }.map { _, name in
      Evaluation.Measure(String(name), try words.number(Self.measurePrefix + name))
    }
    lastEvaluation = EvaluationPoint(
      examples: try words.count("evaluationExamples"), seconds: try words.number("evaluationSeconds"),
      evaluation: Evaluation(loss: try words.number("evaluationLoss"), measures: measures))
  }

  private static let measurePrefix = "evaluation "
  private static let placePrefix = "evaluationPlace "
}
