// What decides the bits of a run's parameters, as words: its checkpoints and its model file have them.
import DistributedSGD
import NeuralNet
import Text

/// How a model is made: with these words, and the data, the same program makes it again.
package struct Provenance: Sendable {
  /// The metadata entries beside the settings, which stand under their flags.
  package enum Key {
    /// Of the parameters that the run began with, where these came from a file.
    package static let initialHash = "initialHash"
    /// What was not the same all along, with commas.
    package static let changes = "changes"
    /// Of what was trained on.
    package static let inputs = "inputsFingerprint"
    package static let targets = "targetsFingerprint"
    /// Updates made.
    package static let steps = "steps"
    /// Of the parameters in the file.
    package static let parameterHash = "parameterHash"
  }

  /// `changes` where ranks of one job had different kernels, and where data were exchanged.
  package static let ranks = "ranks"
  package static let data = "data"

  package private(set) var words: [String: String]

  init(_ setUp: SetUp, _ options: TrainingOptions, shards: Int) {
    words = options.settings
    words["--shards"] = "\(shards)"
    for rounding in roundings(options.arithmetic) where rounding.key != "producer" {
      words[rounding.key] = rounding.value
    }
    words[Key.initialHash] = setUp.initialHash
    if setUp.ranksDiffer { words[Key.changes] = Self.ranks }
  }

  /// Goes on with a run: its beginning was another, and what has changed since is noted.
  /// - Parameter past: the words of its checkpoint.
  mutating func goOn(from past: [String: String], hasOtherData: Bool, arithmetic: ArithmeticName) {
    words[Key.initialHash] = past[Key.initialHash]
    var changes = Set(
      [past[Key.changes], words[Key.changes]].compactMap { $0 }.flatMap { $0.split(separator: ",") }
        .map(String.init))
    // Checkpoints of former versions do not tell all of it.
    for rounding in roundings(arithmetic) {
      if let before = past[rounding.key], before != rounding.value { changes.insert(rounding.key) }
    }
    if hasOtherData { changes.insert(Self.data) }
    words[Key.changes] = changes.isEmpty ? nil : changes.sorted().joined(separator: ",")
  }

  /// All that a model file tells, when its parameters are known. Reads all of the training data once.
  func words(of setUp: SetUp, steps: Int, parameterHash: UInt64) -> [String: String] {
    var words = words
    let parts = DataFingerprint([setUp.training]).parts
    words[Key.inputs] = parts[0]
    words[Key.targets] = parts[1]
    words[Key.steps] = "\(steps)"
    words[Key.parameterHash] = hexadecimal(parameterHash)
    return words
  }
}
