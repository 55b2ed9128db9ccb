// Whether this job can make a model again: it must compute as the one that made it, and on the same data.
import DataFormats
import DistributedSGD
import NeuralNet
import System
import Text

extension ModelRecord {
  /// Checks all that can be without the data.
  /// - Throws: `DistsgdError`: `usage` where another program, machine or number of ranks is needed; `badData`
  ///   where no job can make the model again.
  func check(_ options: TrainingOptions, worldSize: Int) throws {
    if let changes = self[Provenance.Key.changes] {
      throw DistsgdError(
        .badData,
        "'\(path)' was not made in one way from its beginning to its end ('\(printable(changes, limit: 200))' in its metadata entry '\(Provenance.Key.changes)' tells what changed, and was accepted): no run makes it again; train the model anew"
      )
    }
    for rounding in roundings(options.arithmetic) {
      let word = try word(rounding.key)
      guard word != rounding.value else { continue }
      throw DistsgdError(.usage, difference(rounding, printable(word, limit: 200)))
    }
    let shards = try count("--shards")
    guard worldSize <= shards else {
      throw DistsgdError(
        .usage,
        "'\(path)' was trained with \(shards) shards, and this job has \(worldSize) ranks: every rank needs a shard, so start at most \(shards)"
      )
    }
    guard let weights = options.initialize else { return }
    _ = try word(Provenance.Key.initialHash)
    guard pathKind(weights) != .missing else {
      throw DistsgdError(
        .noInput,
        "'\(path)' began with the weights in '\(weights)', which are not here: say where they are now by --initialize FILE"
      )
    }
  }

  /// What this process does otherwise than the one that made the model, and what to use.
  private func difference(_ rounding: Rounding, _ word: String) -> String {
    let portable = "a model of --arithmetic portable is made again on any machine"
    let remedy =
      switch rounding.key {
      case "producer": "use \(word)"
      case "arithmeticVersion":
        "use the distsgd that made it, \(self["producer"].map { printable($0) } ?? "")"
      case "blasKernel":
        "set OPENBLAS_CORETYPE=\(word) for all ranks, on a processor that has its instructions; \(portable)"
      case "blas": "use that OpenBLAS; \(portable)"
      case "vectors": "use a processor with such vectors; \(portable)"
      default: "use the image and the kind of processor that it was made on; \(portable)"
      }
    return
      "'\(path)' was made by \(rounding.name) \(word), and here it is \(rounding.value): the bits would differ; \(remedy)"
  }

  /// Checks that the data are those that the model was trained on. On the first rank of each server.
  /// - Parameter data: the word for them.
  /// - Throws: `DistsgdError` (`badData`) that names the file.
  func check(_ set: Dataset, data: String) throws {
    let found = DataFingerprint([set]).parts
    let keys = [Provenance.Key.inputs, Provenance.Key.targets]
    guard let place = try keys.indices.first(where: { try word(keys[$0]) != found[$0] }) else { return }
    let files = try? dataFiles(data)
    let file = files.map { place == 0 ? $0.inputs : $0.targets } ?? data
    throw DistsgdError(
      .badData,
      "the \(place == 0 ? "inputs" : "targets") in '\(file)' have the fingerprint \(found[place]), and '\(path)' was trained on \(printable(try word(keys[place]))): they are not the same data; give those by --data PATH"
    )
  }

  /// Checks that the model for these data is the one in the file, and begins with the same weights.
  /// - Throws: `DistsgdError` (`badData`).
  func check(_ setUp: SetUp, _ options: TrainingOptions) throws {
    let layers = try word("layers")
    guard setUp.model.text == layers else {
      throw DistsgdError(
        .badData,
        "'\(options.data.data)' asks for the layers '\(setUp.model.text)', and '\(path)' has '\(printable(layers, limit: 200))': they are not the same data; give those by --data PATH"
      )
    }
    guard let found = setUp.initialHash, let weights = options.initialize else { return }
    let hash = try word(Provenance.Key.initialHash)
    guard found == hash else {
      throw DistsgdError(
        .badData,
        "the weights in '\(weights)' have the hash \(found), and '\(path)' began with \(printable(hash)): give those by --initialize FILE"
      )
    }
  }
}
