// The gradient noise scale of a run: the same at any number of ranks, and what `bench noise` finds.
import DataFormats
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct NoiseScaleTests: ReproducingSuite {
    let folder = TemporaryFolder()

    /// By the steps that tell it.
    private func scales(_ run: String) throws -> [Int: Double] {
      var scales: [Int: Double] = [:]
      for event in try readMetrics(folder(run + "/metrics.jsonl")) where event.name == "step" {
        if event.fields["noiseScale"] is NSNumber {
          scales[Int(event.number("step"))] = event.number("noiseScale")
        }
      }
      return scales
    }

    @Test(arguments: [
      "--model mlp:90,40 --global-batch 64",
      "--model mlp:16 --global-batch 37 --optimizer lamb --clip-norm 1",
      "--model mlp:90,40 --global-batch 64 --arithmetic portable --clip-norm 0.1",
    ]) func sameAtAnyNumberOfRanks(_ job: String) throws {
      let words =
        ["--data", "synthetic:400,20", "--log-every", "2"]
        + job.split(separator: " ").map(String.init)
      let all = words + ["--steps", "66"]
      _ = try train(all, to: "1")
      let expected = try scales("1")
      #expect(expected.keys.sorted() == [20, 40, 60], "\(expected)")
      for ranks in [2, 3, 4, 8] {
        _ = try train(all, ranks: ranks, to: "\(ranks)")
        #expect(try scales("\(ranks)") == expected, "\(ranks) ranks")
      }
      // It goes on where it was.
      _ = try train(words + ["--steps", "31", "--checkpoint-every", "25"], ranks: 3, to: "half")
      let resumed = try run(ranks: 2, ["--resume", folder("half"), "--steps", "66"])
      #expect(resumed.code == 0, "\(resumed)")
      #expect(try scales("half") == expected)
    }

    /// At weights that hardly move, the average over many steps is what the gradients of all examples say.
    @Test(arguments: [
      ("--data airfoil-like", "--global-batch 64 --epochs 1000"),
      ("--data synthetic:600,10 --model mlp:16", "--global-batch 50 --epochs 1200"),
      ("--data synthetic:500,8 --model mlp:12 --activation tanh", "--global-batch 96 --epochs 2000"),
    ]) func whatTheBenchmarkFinds(_ model: String, _ job: String) throws {
      let words = model.split(separator: " ").map(String.init)
      _ = try train(
        words + job.split(separator: " ").map(String.init) + ["--lr", "1e-9", "--log-every", "1"], to: "run")
      let steps = try scales("run")
      let last = try #require(steps.max { $0.key < $1.key })
      let bench = try run(["bench", "noise", "--batches", "1", "--samples", "2", "--json"] + words)
      let found = try #require(
        JSONSerialization.jsonObject(with: Data(bench.output.utf8)) as? [String: Any])
      let exact = try #require(found["gradientNoiseScale"] as? Double)
      #expect(steps.count > 1000 && abs(last.value - exact) < 0.1 * exact, "\(last), exactly \(exact)")
    }
  }
}
