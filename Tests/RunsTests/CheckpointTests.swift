// Checkpoints as files: whole or refused, the newest found, the oldest removed.
import DataFormats
import Foundation
import Runs
import System
import TestSupport
import Testing

@Suite struct CheckpointTests {
  private let folder = TemporaryFolder()

  private func write(
    _ name: String, _ values: [Float] = [1, -2.5, .pi], words: [String: String] = ["step": "7"]
  )
    throws -> String
  {
    let path = folder(name)
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try values.withUnsafeBufferPointer {
      try Checkpoint.write(
        [SafeTensors.View(name: "0.weight", shape: [1, $0.count], values: $0)], words: words, to: path)
    }
    return path
  }

  @Test func whatIsWrittenIsRead() throws {
    let words = ["step": "7", "--data": "a \"b\"\n=c", "trainingSeconds": "\(0.1 + 0.2)"]
    let checkpoint = try Checkpoint(reading: write("a", words: words))
    #expect(checkpoint.tensors.tensors.map(\.values) == [[1, -2.5, .pi]])
    for (key, word) in words { #expect(checkpoint.words[key] == word) }
  }

  /// The measures of the last evaluation keep their order, whatever their names.
  @Test func aStateIsTheSameFromItsWords() throws {
    for names in [[], ["accuracy"], ["accuracy", "top5", "logLoss", "auc"], ["b", "a,c", "a"]] {
      var words = [
        "step": "7", "epoch": "1", "stepOfEpoch": "2", "examples": "70", "trainingSeconds": "0.5",
        "epochLossSum": "3.5", "epochLossWeight": "20", "evaluationExamples": "50",
        "evaluationSeconds": "0.25", "evaluationLoss": "0.125",
      ]
      for (place, name) in names.enumerated() {
        words["evaluation " + name] = "0.\(place)5"
        if names.count > 1 { words["evaluationPlace " + name] = "\(place)" }
      }
      let state = try RunState(CheckpointWords(words, path: ""))
      #expect(state.lastEvaluation?.evaluation.measures.map(\.name) == names)
      #expect(state.words == words)
    }
  }

  /// Whatever bit of the file flips, and wherever it ends too early, it is not believed.
  @Test func damageIsNoticed() throws {
    let path = try write("a")
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    func isRefused(_ bytes: Data) throws -> Bool {
      try bytes.write(to: URL(fileURLWithPath: folder("b")))
      do {
        _ = try Checkpoint(reading: folder("b"))
        return false
      } catch let error as DistsgdError {
        return error.code == .badData
      }
    }
    #expect(try !isRefused(whole))
    for byte in whole.indices {
      for bit in 0..<8 {
        var bytes = whole
        bytes[byte] ^= 1 << bit
        #expect(try isRefused(bytes), "byte \(byte), bit \(bit)")
      }
      #expect(try isRefused(whole.prefix(byte)), "\(byte) bytes")
    }
    #expect(try isRefused(whole + [0]))
  }

  @Test func theNewestWholeOneIsFound() throws {
    let checkpoints = CheckpointFolder(run: folder.path)
    var passed: [String] = []
    #expect(checkpoints.newest { passed.append("\($0)") } == nil)
    for step in [9, 10, 1_000_000_001, 100] {
      let name = checkpoints.file(step: step).dropFirst(folder.path.count + 1)
      _ = try write(String(name), words: ["step": "\(step)"])
    }
    try folder.write("rest", to: "checkpoints/step-000000200.safetensors.tmp-77")
    try folder.write("note", to: "checkpoints/readme.txt")
    #expect(checkpoints.steps() == [1_000_000_001, 100, 10, 9])
    #expect(checkpoints.newest { passed.append("\($0)") }?.words["step"] == "1000000001")
    #expect(passed.isEmpty)
    try folder.write("", to: "checkpoints/step-1000000001.safetensors")
    try folder.write([UInt8](repeating: 7, count: 3_000), to: "checkpoints/step-000000100.safetensors")
    #expect(checkpoints.newest { passed.append("\($0)") }?.words["step"] == "10")
    #expect(
      passed.count == 2 && passed[0].contains("step-1000000001") && passed[1].contains("step-000000100"))
  }

  @Test(arguments: [
    ("500", CheckpointInterval.steps(500)), ("5steps", .steps(5)), ("30s", .seconds(30)),
    ("0.5s", .seconds(0.5)),
    ("10m", .seconds(600)), ("1epoch", .epochs(1)), ("2epochs", .epochs(2)),
  ]) func intervals(_ text: String, _ interval: CheckpointInterval) {
    #expect(CheckpointInterval(text) == interval)
    #expect(CheckpointInterval(interval.description) == interval)
  }

  @Test(arguments: ["", "0", "-1", "1.5", "0s", "s", "1h", "1 epoch", "0epochs", "1e3", "infs"])
  func noIntervals(_ text: String) { #expect(CheckpointInterval(text) == nil) }
}
