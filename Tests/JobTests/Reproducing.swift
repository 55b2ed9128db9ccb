// What the tests of `reproduce` have in common: models that are trained, made again, and edited.
import DataFormats
import Foundation
import Runs
import TestSupport
import Testing

/// A suite whose models and data lie in a folder of its own.
protocol ReproducingSuite {
  var folder: TemporaryFolder { get }
}

extension ReproducingSuite {
  /// A job that runs in the folder.
  private func job(_ ranks: Int, _ arguments: [String], _ environment: [String: String?]) throws -> Outcome {
    try run(ranks: ranks, arguments, environment: environment, directory: folder.path)
  }

  func train(
    _ arguments: [String], ranks: Int = 1, to run: String = "run", environment: [String: String?] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let outcome = try job(
      ranks, arguments + ["--quiet", "--output", folder(run)], environment)
    try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
    return folder(run + "/model.safetensors")
  }

  func reproduce(
    _ model: String, _ arguments: [String] = [], ranks: Int = 1, environment: [String: String?] = [:]
  ) throws -> Outcome {
    try job(ranks, ["reproduce", model] + arguments, environment)
  }

  func expectReproduced(
    _ model: String, _ arguments: [String] = [], ranks: Int = 1,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try reproduce(model, arguments, ranks: ranks)
    let hash = try #require(SafeTensors.metadata(of: model)?["parameterHash"])
    let tensors = try SafeTensors.read(from: model).tensors
    let count = tensors.reduce(0) { $0 + $1.values.count }
    #expect(
      outcome.code == 0
        && outcome.output
          == "reproduced, bit for bit: \(count) parameters, hash \(hash)\n"
        && outcome.errors == "",
      "\(ranks) ranks: \(outcome)", sourceLocation: sourceLocation)
  }

  /// One line, with all of the words.
  func expect(
    _ outcome: Outcome, _ code: Int32, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.code == code && outcome.output == "", "\(outcome)", sourceLocation: sourceLocation)
    #expect(outcome.errorLines.count == 1, "\(outcome)", sourceLocation: sourceLocation)
    for word in words {
      #expect(
        outcome.errors.contains(word), "'\(word)' is not in: \(outcome)", sourceLocation: sourceLocation)
    }
  }

  /// Another model file beside it, with other metadata.
  /// - Parameter isForged: whether its digests are those of the new metadata.
  func rewritten(
    _ model: String, isForged: Bool = false, _ edit: (inout [String: String]) -> Void
  ) throws -> String {
    var file = try SafeTensors.read(from: model)
    edit(&file.metadata)
    if isForged { file.metadata["digests"] = MetadataDigests.text(of: file.metadata) }
    let path = folder("edited.safetensors")
    try file.write(to: path)
    return path
  }
}
