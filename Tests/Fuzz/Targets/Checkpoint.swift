// Checkpoints, as damage leaves them and, since that rarely gets past the checksum, as malice would write them.
import DataFormats
import Runs
import System

func readCheckpoint(_ input: FuzzInput) throws {
  let path = input.file("checkpoint.safetensors")
  do {
    try use(Checkpoint(reading: path))
  } catch let error as DistsgdError where error.description.contains("its checksum is ") {
    // What the right checksum is, the error itself tells.
    let words = error.description.split(separator: " ")
    guard let at = words.lastIndex(of: "checksum"), at + 2 < words.count else { throw error }
    let checksum = words[at + 2].prefix { $0 != "," }
    let file = try SafeTensors.read(from: path)
    let sealed = SafeTensors(
      tensors: file.tensors, metadata: file.metadata.merging(["checksum": String(checksum)]) { $1 })
    try use(Checkpoint(sealed, path: path))
  }
}

/// Takes from a checkpoint what a resumed run takes.
private func use(_ checkpoint: Checkpoint) throws {
  let words = checkpoint.words
  // As words, because an evaluation's loss may be NaN, which no number equals.
  let state = try RunState(words).words
  guard try RunState(CheckpointWords(state, path: "")).words == state else {
    throw Finding("the state of the run is not itself: \(state)")
  }
  let settings = words.words.filter { $0.key.hasPrefix("--") }
  guard Settings.arguments(settings).count == settings.count else { throw Finding("a setting is missing") }
  try Settings.check(TrainingOptions().settings, against: settings, run: "run")
}
