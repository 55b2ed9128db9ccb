// Runs whose time is up, and runs that are stopped: each leaves a checkpoint and a model, and goes on as if nothing had been.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct TimeLimitTests {
    private let folder = TemporaryFolder()
    private let job = [
      "--data", "synthetic:2000,50", "--model", "mlp:64", "--global-batch", "32", "--lr", "0.001", "--shards",
      "8",
      "--validation", "0.2", "--epochs", "100000", "--optimizer", "adam", "--ema", "0.99",
    ]

    private func lastStep(_ run: String) throws -> Int {
      let files = try FileManager.default.contentsOfDirectory(atPath: folder("\(run)/checkpoints"))
      return try #require(files.compactMap { Int($0.dropFirst(5).dropLast(12)) }.max())
    }

    private func hash(_ run: String) throws -> String {
      try #require(try readMetrics(folder(run + "/metrics.jsonl")).last).text("parameterHash")
    }

    /// The run goes on on other ranks to the bits of one that was made at once, and its model can be made again.
    private func expectWhole(from step: Int, ranks: Int) throws {
      let reproduced = try run(ranks: 2, ["reproduce", folder("run/model.safetensors")])
      #expect(reproduced.code == 0 && reproduced.output.contains("bit for bit"), "\(reproduced)")
      let evaluated = try run([
        "evaluate", "--model", folder("run/model.safetensors"), "--data", "synthetic:200,50",
      ])
      #expect(evaluated.code == 0, "\(evaluated)")
      let end = ["--steps", "\(step + 60)", "--quiet"]
      let resumed = try run(ranks: ranks, ["--resume", folder("run")] + end)
      try #require(resumed.code == 0, "\(resumed)")
      let whole = try run(job + end + ["--output", folder("whole")])
      try #require(whole.code == 0, "\(whole)")
      #expect(try hash("run") == hash("whole"))
      let again = try run(ranks: 2, ["reproduce", folder("run/model.safetensors")])
      #expect(again.code == 0, "\(again)")
    }

    @Test(arguments: [(1, 2), (3, 1), (8, 4)]) func theTimeIsUp(_ ranks: Int, _ later: Int) throws {
      let outcome = try run(ranks: ranks, job + ["--time-limit", "3s", "--output", folder("run")])
      #expect(outcome.code == 0, "\(outcome)")
      let step = try lastStep("run")
      let launch = ranks == 1 ? "" : "mpirun -np \(ranks) "
      let line =
        "distsgd: the time limit of 3s is over after step \(step); go on with: \(launch)distsgd --resume \(folder("run"))"
      #expect(outcome.errors.split(separator: "\n").count { $0 == line } == 1, "\(outcome)")
      #expect(
        outcome.output.contains("validation: loss ") && outcome.output.contains(" sec/epoch"), "\(outcome)")
      let events = try readMetrics(folder("run/metrics.jsonl"))
      #expect(events.last?.name == "stopped" && events[events.count - 2].name == "evaluation")
      #expect(events[events.count - 2].number("step") == Double(step))
      try expectWhole(from: step, ranks: later)
    }

    @Test(arguments: [(1, 3), (4, 1)]) func aStoppedRunHasAModel(_ ranks: Int, _ later: Int) throws {
      let child = try start(ranks: ranks, job + ["--output", folder("run"), "--log-every", "1"])
      for _ in 0..<30_000 where child.isRunning {
        let text = (try? readFile(folder("run/metrics.jsonl"))) ?? ""
        if text.utf8.count > 6_000, ranks == 1 || child.children.count >= ranks { break }
        usleep(1_000)
      }
      kill(ranks == 1 ? child.identifier : child.children.last!, SIGUSR1)
      let outcome = child.wait(limit: 60)
      #expect(outcome.code == 75, "\(outcome)")
      let step = try lastStep("run")
      // Its steps are in the log: those of the whole run have to be too.
      let reproduced = try run(ranks: 2, ["reproduce", folder("run/model.safetensors")])
      #expect(reproduced.code == 0 && reproduced.output.contains("bit for bit"), "\(reproduced)")
      let resumed = try run(ranks: later, ["--resume", folder("run"), "--steps", "\(step + 60)", "--quiet"])
      try #require(resumed.code == 0, "\(resumed)")
      let whole = try run(job + ["--steps", "\(step + 60)", "--quiet", "--output", folder("whole")])
      #expect(try whole.code == 0 && hash("run") == hash("whole"), "\(whole)")
    }

    @Test func aRunThatIsDoneInTimeEndsAsEver() throws {
      let outcome = try run(ranks: 2, ["--time-limit", "1h", "--quiet", "--output", folder("run")])
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
      #expect(try readMetrics(folder("run/metrics.jsonl")).last?.name == "end")
      #expect(try hash("run") == "a452abe97e85bb68")
      #expect(try readFile(folder("run/config.yaml")).contains("time-limit: \"3600s\""))
    }

    @Test(arguments: ["0s", "5", "1w", "soon", "-3m"]) func limits(_ text: String) throws {
      let outcome = try run(["--time-limit=\(text)", "--quiet", "--epochs", "1", "--output", folder("run")])
      #expect(
        outcome.code == (text == "5" ? 0 : 64) && outcome.errorLines.count == (text == "5" ? 0 : 1),
        "\(outcome)")
    }
  }
}
