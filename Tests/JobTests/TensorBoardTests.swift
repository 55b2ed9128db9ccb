// --tensorboard: TensorBoard's own reader finds in the event files what the run's other files have.
import Foundation
import TestSupport
import Testing

private let tensorBoardPython = python("DISTSGD_TENSORBOARD_PYTHON", "numpy, tensorboard", "TENSORBOARD")

extension JobTests {
  @Suite struct TensorBoardTests {
    private let folder = TemporaryFolder()

    private func check(_ run: String) throws -> Outcome {
      let script = packageFolder + "/Tests/Reference/check_tensorboard.py"
      return try Child(try #require(tensorBoardPython), [script, run]).wait(limit: 300)
    }

    private func eventFiles(_ run: String) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder(run)).filter { $0.contains("tfevents") }
        .sorted()
    }

    /// Parameters of every rank's own, shared ones, statistics of batch norms, a gradient that is clipped, and one that
    /// is written over.
    @Test(
      .enabled(if: tensorBoardPython != nil, "no Python with TensorBoard"),
      arguments: [
        (1, ["--validation", "0.2", "--model", "mlp:16", "--epochs", "3"]),
        (2, ["--model", "linear", "--clip-norm", "0.1", "--evaluate-every", "777", "--epochs", "3"]),
        (3, ["--data", "synthetic:900,20", "--model", "mlp:100", "--log-every", "1"]),
        (4, ["--data", "synthetic:900,20", "--model", "dense:100 batchnorm relu dense", "--log-every", "3"]),
        (8, ["--data", "synthetic:900,20", "--model", "mlp:200", "--optimizer", "lars", "--log-every", "1"]),
      ])
    func tensorBoardReadsAllThatMetricsHave(_ ranks: Int, _ arguments: [String]) throws {
      let outcome = try run(
        ranks: ranks, arguments + ["--tensorboard", "--quiet", "--output", folder("run")])
      try #require(outcome.code == 0, "\(outcome)")
      let found = try check(folder("run"))
      #expect(found.code == 0 && found.output.contains("scalars"), "\(found)")
      print("TensorBoard: \(found.output)")
      // One number that is another is noticed.
      let metrics = try readFile(folder("run/metrics.jsonl"))
      let loss = try #require(metrics.range(of: "\"loss\":", options: .backwards))
      try folder.write(metrics.replacingCharacters(in: loss, with: "\"loss\":1"), to: "run/metrics.jsonl")
      #expect(try check(folder("run")).code == 1)
    }

    /// What was told after the checkpoint is forgotten, although the file has it.
    @Test(.enabled(if: tensorBoardPython != nil, "no Python with TensorBoard"))
    func aResumedRunIsToldOnce() throws {
      let arguments = [
        "--data", "synthetic:900,20", "--model", "mlp:64", "--log-every", "1", "--tensorboard",
        "--checkpoint-every", "5", "--quiet", "--output", folder("run"),
      ]
      // It ends in the middle of an epoch, with an end that counts no more.
      let begun = try run(ranks: 2, arguments + ["--steps", "12"])
      try #require(begun.code == 0, "\(begun)")
      let resume = ["--resume", folder("run"), "--quiet", "--steps", "40"]
      let killed = try run(ranks: 4, resume + ["--inject", "kill:rank=1,step=23"])
      #expect(killed.code != 0, "\(killed)")
      #expect(try eventFiles("run").count == 2)
      // A record that is not whole is what a kill may leave.
      let first = try FileHandle(forUpdating: URL(fileURLWithPath: folder("run/\(try eventFiles("run")[1])")))
      try first.truncate(atOffset: try first.seekToEnd() - 3)
      try first.close()
      let resumed = try run(ranks: 2, resume)
      try #require(resumed.code == 0, "\(resumed)")
      #expect(try eventFiles("run").count == 3)
      let found = try check(folder("run"))
      #expect(found.code == 0, "\(found)")
    }

    /// The bits are those of a run without, and without the flag there is no file.
    @Test(arguments: [1, 4]) func nothingElseChanges(_ ranks: Int) throws {
      let arguments = ["--data", "synthetic:900,20", "--model", "mlp:100"]
      let plain = try train(ranks: ranks, arguments)
      #expect(try train(ranks: ranks, arguments + ["--tensorboard"]) == plain)
      let outcome = try run(ranks: ranks, arguments + ["--quiet", "--output", folder("run")])
      #expect(try outcome.code == 0 && eventFiles("run").isEmpty, "\(outcome)")
    }
  }
}
