// What a model file tells of how it was made: read and believed only where all of it is as it was written.
import DataFormats
import DistributedSGD
import MPI
import System
import Text

/// A model that is to be made again. Rank 0 reads the file; the others hear of it.
package struct ModelRecord: Sendable {
  /// Of the model file.
  package let path: String
  /// The file's metadata.
  private let words: [String: String]
  /// The parameters' hashes after steps of the run, by step; on rank 0, where there are any.
  let stepHashes: [Int: String]

  /// Reads a model file, or the one in a run's folder. Collective.
  /// - Throws: `AgreedError` (`noInput`, `badData`), or `MPIError`.
  package init(_ path: String, communicator: any Communicator) throws {
    var own: CheckpointWords?
    stepHashes = try communicator.agreeingOnErrors {
      guard communicator.rank == 0 else { return [:] }
      let isFolder = pathKind(path) == .directory
      let file = isFolder ? try Self.model(in: OutputFolder(continuing: path)) : path
      own = CheckpointWords(try Self.read(file), path: file)
      guard isFolder, case let metrics = OutputFolder(continuing: path).metrics, pathKind(metrics) == .file
      else { return [:] }
      return Dictionary(try loggedHashes(metrics).map { ($0.step, $0.hash) }) { $1 }
    }
    let record = try CheckpointWords(own, over: communicator)
    self.path = record.path
    words = record.words
  }

  private static func model(in folder: OutputFolder) throws -> String {
    guard pathKind(folder.model) != .missing else {
      throw DistsgdError(
        .noInput,
        "'\(folder.path)' has no model.safetensors: no run has ended there; name the folder of one that has, or a model file"
      )
    }
    return folder.model
  }

  /// The metadata of a file whose parameters are those that they tell of.
  private static func read(_ path: String) throws -> [String: String] {
    guard let words = SafeTensors.metadata(of: path) else {
      // Tells what is wrong with it.
      _ = try ModelFile(reading: path)
      throw DistsgdError(.badData, "'\(path)' changed while it was read; take the file as distsgd wrote it")
    }
    guard words["checkpoint"] == nil else {
      throw DistsgdError(
        .badData, "'\(path)' is a checkpoint of a run; name the model.safetensors of one that has ended")
    }
    try MetadataDigests.check(words, path: path)
    // Zeros separate the words where they are sent to the other ranks.
    if let entry = words.first(where: { $0.key.contains("\0") || $0.value.contains("\0") }) {
      throw DistsgdError(
        .badData, "'\(path)': the metadata entry '\(printable(entry.key))' has a zero byte")
    }
    let record = ModelRecord(path: path, words: words, stepHashes: [:])
    let hash = hexadecimal(try ModelFile(reading: path).parameters.withUnsafeBytes { xxh64($0) })
    let written = try record.word(Provenance.Key.parameterHash)
    guard hash == written else {
      throw DistsgdError(
        .badData,
        "'\(path)' was edited: its parameters have the hash \(hash), and its metadata entry '\(Provenance.Key.parameterHash)' is '\(printable(written))'; take the file as distsgd wrote it"
      )
    }
    return words
  }

  private init(path: String, words: [String: String], stepHashes: [Int: String]) {
    self.path = path
    self.words = words
    self.stepHashes = stepHashes
  }

  subscript(key: String) -> String? { words[key] }

  /// - Throws: `DistsgdError` (`badData`) where there is none.
  func word(_ key: String) throws -> String {
    guard let word = words[key] else {
      throw DistsgdError(
        .badData,
        "'\(path)' has no metadata entry '\(key)': it does not tell how it was made; train the model again")
    }
    return word
  }

  /// A whole number above 0.
  func count(_ key: String) throws -> Int {
    let text = try word(key)
    guard let count = Int(text), count > 0 else {
      throw senseless(key, text, "it must be a number from 1 up")
    }
    return count
  }

  private func senseless(_ key: String, _ word: String, _ why: String) -> DistsgdError {
    DistsgdError(
      .badData, "'\(path)': the metadata entry '\(printable(key))' is '\(printable(word))': \(why)")
  }

  /// The options of the run that made the model.
  /// - Parameters:
  ///   - parse: a command line of `train`.
  ///   - reason: what an error of `parse` says.
  /// - Throws: `DistsgdError` (`badData`) that names an entry which is missing or makes no sense.
  package func options(
    _ parse: ([String]) throws -> TrainingOptions, reason: (any Error) -> String
  ) throws -> TrainingOptions {
    let settings = words.filter { $0.key.hasPrefix("--") }
    for flag in TrainingOptions().settings.keys.sorted() { _ = try word(flag) }
    _ = try count("--shards")
    // One by one: an error shall name its entry. What is no setting of a run leaves none.
    for (flag, word) in settings.sorted(by: { $0.key < $1.key }) {
      let alone: TrainingOptions
      do {
        alone = try parse(Settings.arguments([flag: word]))
      } catch {
        throw senseless(flag, word, reason(error))
      }
      guard alone.settings[flag] == word else { throw senseless(flag, word, "that is no setting of a run") }
    }
    return try parse(Settings.arguments(settings))
  }
}
