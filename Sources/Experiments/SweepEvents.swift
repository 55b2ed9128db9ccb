// What TensorBoard is told of a sweep: a run for every trial, with its settings and curves, for its table of
// hyperparameters.
import DistributedSGD
import Runs
import System
import Text

/// Event files below the sweep's folder. Their steps are examples: trials of different batches can be laid over each
/// other.
struct SweepEvents {
  private let folder: String
  private let axes: [SweepAxis]
  private let set: String

  /// - Parameter folder: of the sweep.
  init(in folder: String, _ axes: [SweepAxis], hasValidation: Bool) {
    self.folder = folder + "/tensorboard"
    self.axes = axes
    set = hasValidation ? "validation" : "training"
  }

  /// Tells what varies, and what is compared.
  func begin() throws {
    try makeFolder(folder)
    var summary = Summary()
    let settings = axes.map { axis -> Hyperparameter in
      if case .list(let words) = axis.values { return hyperparameter(axis, words[0]) }
      return Hyperparameter(axis.name, word: "0")
    }
    summary.addExperiment(
      settings, results: Array(Set(["\(set)/loss", "training/loss"])).sorted(), at: wallSeconds())
    let file = try EventFile(in: folder)
    try file.write(summary, step: 0)
    try file.flush()
  }

  /// - Parameter number: of the trial, from 1.
  func write(_ result: TrialResult, number: Int) throws {
    let digits = "\(number)"
    let place = "\(folder)/\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)"
    try makeFolder(place)
    let file = try EventFile(in: place)
    var summary = Summary()
    let settings = axes.compactMap { axis in
      result.settings.first { $0.name == axis.name }.map { hyperparameter(axis, $0.word) }
    }
    summary.addStart(settings, group: result.group, at: wallSeconds())
    try file.write(summary, step: 0)
    for point in result.evaluations {
      var summary = Summary()
      summary.add("\(set)/loss", Float(point.evaluation.loss))
      for measure in point.evaluation.measures { summary.add("\(set)/\(measure.name)", Float(measure.value)) }
      try file.write(summary, step: point.examples)
    }
    var end = Summary()
    if result.hasValidation, let loss = result.finalLoss { end.add("training/loss", Float(loss)) }
    end.addEnd(isSuccess: result.finalLoss != nil, at: wallSeconds())
    try file.write(end, step: result.evaluations.last?.examples ?? 0)
    try file.flush()
  }

  /// A setting is a number where all its words are.
  private func hyperparameter(_ axis: SweepAxis, _ word: String) -> Hyperparameter {
    if case .list(let words) = axis.values, words.contains(where: { decimalNumber($0) == nil }) {
      return Hyperparameter(axis.name, text: word)
    }
    return Hyperparameter(axis.name, word: word)
  }
}
