// One checkpoint as a file: the parameters under the model's names, and the rest of the run as metadata.
import DataFormats
import MPI
import System
import Text

/// The metadata of a checkpoint: words by their keys. The run's settings stand under their flags.
package struct CheckpointWords: Sendable, Equatable {
  /// Of the form of these files; a reader refuses another.
  static let formatVersion = "1"

  package var words: [String: String]
  /// What errors call the file.
  let path: String

  package init(_ words: [String: String], path: String) {
    self.words = words
    self.path = path
  }

  package subscript(key: String) -> String? { words[key] }

  func word(_ key: String) throws -> String {
    guard let word = words[key] else { throw bad("it has no '\(key)'") }
    return word
  }

  /// A whole number from 0 up, far below what an integer holds, so that a run can go on counting.
  func count(_ key: String) throws -> Int {
    let text = try word(key)
    guard let value = Int(text), 0...1 << 53 ~= value else {
      throw bad("its '\(key)' is '\(printable(text))'")
    }
    return value
  }

  func number(_ key: String) throws -> Double {
    let text = try word(key)
    guard let value = Double(text) else { throw bad("its '\(key)' is '\(printable(text))'") }
    return value
  }

  /// Those of a file's header alone, whatever its tensors are; nil where that is damaged.
  init?(headerOf path: String) {
    guard let metadata = SafeTensors.metadata(of: path) else { return nil }
    self.init(metadata, path: path)
  }

  private func bad(_ what: String) -> DistsgdError {
    DistsgdError(.badData, "'\(path)' is not a whole checkpoint: \(what)")
  }

  /// The same words on every rank. Collective.
  init(_ own: CheckpointWords?, over communicator: any Communicator) throws {
    let parts = own.map { own in [own.path] + own.words.flatMap { [$0.key, $0.value] } } ?? []
    let text = try communicator.broadcastString(parts.joined(separator: "\0"), from: 0)
    let all = text.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
    path = all[0]
    words = [:]
    for index in stride(from: 1, to: all.count - 1, by: 2) { words[all[index]] = all[index + 1] }
  }
}

/// A checkpoint in this process's memory.
package struct Checkpoint: Sendable {
  package var words: CheckpointWords
  package var tensors: SafeTensors

  /// Writes a checkpoint; it appears under `path` only when it is complete and on the disk.
  ///
  /// - Parameter tensors: the parameters, and what state an optimizer keeps.
  /// - Throws: `DistsgdError` (`cannotCreate`, or `inputOutput` when for example the disk is full).
  package static func write(_ tensors: [SafeTensors.View], words: [String: String], to path: String) throws {
    try write(tensors, words: words, to: path, in: nil)
  }

  /// - Parameter folder: the one that the file is made in, as in `ReplacementFile`.
  static func write(
    _ tensors: [SafeTensors.View], words: [String: String], to path: String, in folder: OpenFolder?
  ) throws {
    var words = words
    words["checkpoint"] = CheckpointWords.formatVersion
    words["checksum"] = checksum(
      words, tensors.map { ($0.name, $0.shape, UnsafeRawBufferPointer($0.values)) })
    try SafeTensors.write(tensors, metadata: words, to: path, in: folder, bypassesCache: true)
  }

  /// Reads a checkpoint and believes it only when its checksum is right.
  /// - Throws: `DistsgdError` (`noInput`, `badData`).
  package init(reading path: String) throws {
    try self.init(SafeTensors.read(from: path), path: path)
  }

  /// - Parameter path: what errors call the file.
  /// - Throws: `DistsgdError` (`badData`).
  package init(_ file: SafeTensors, path: String) throws {
    words = CheckpointWords(file.metadata, path: path)
    tensors = file
    let format = try words.word("checkpoint")
    guard format == CheckpointWords.formatVersion else {
      throw DistsgdError(
        .badData,
        "'\(path)' has the checkpoint format \(printable(format)), and this program reads \(CheckpointWords.formatVersion)"
      )
    }
    // Zeros separate the words where they are sent to the other ranks.
    guard !file.metadata.contains(where: { $0.key.contains("\0") || $0.value.contains("\0") }) else {
      throw DistsgdError(.badData, "'\(path)' is damaged: its metadata have a zero byte")
    }
    var hashed = file.metadata
    let recorded = hashed.removeValue(forKey: "checksum")
    let found = Self.checksum(hashed, file.tensors)
    guard recorded == found else {
      throw DistsgdError(
        .badData,
        "'\(path)' is damaged: its checksum is \(found), and it should be \(recorded.map { printable($0) } ?? "there")"
      )
    }
  }

  private static func checksum(_ words: [String: String], _ tensors: [SafeTensors.Tensor]) -> String {
    checksum(
      words,
      hashes: tensors.map { tensor in
        tensor.values.withUnsafeBytes { "\(tensor.name) \(tensor.shape) \(hexadecimal(xxh64($0)))" }
      })
  }

  private static func checksum(
    _ words: [String: String], _ tensors: [(name: String, shape: [Int], bytes: UnsafeRawBufferPointer)]
  ) -> String {
    checksum(words, hashes: tensors.map { "\($0.name) \($0.shape) \(hexadecimal(xxh64($0.bytes)))" })
  }

  /// XXH64 over the sorted words, and name, shape and XXH64 of every tensor.
  private static func checksum(_ words: [String: String], hashes: [String]) -> String {
    let lines = words.map { "\($0.key)=\($0.value)" }.sorted() + hashes
    return Array(lines.joined(separator: "\n").utf8).withUnsafeBytes { hexadecimal(xxh64($0)) }
  }
}
