// `distsgd plan` by real processes: what it tells must agree with itself, and mistakes are told before it measures.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct PlanTests {
    private typealias Object = [String: Any]
    private let folder = TemporaryFolder()
    private static let job = [
      "--data", "synthetic:600,20", "--model", "mlp:30", "--global-batch", "64", "--standardize", "--seconds",
      "0.3",
    ]

    private func number(_ object: Object, _ key: String) -> Double {
      (object[key] as? NSNumber)?.doubleValue ?? .nan
    }

    private func plan(
      ranks: Int, _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Object {
      // One process alone would start a rank on each core.
      let arguments = ["plan"] + arguments + ["--json"] + (ranks == 1 ? ["--ranks", "1"] : [])
      let outcome = try run(ranks: ranks, arguments)
      try #require(outcome.code == 0, "\(ranks) ranks: \(outcome)", sourceLocation: sourceLocation)
      let parsed = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      return try #require(parsed as? Object, sourceLocation: sourceLocation)
    }

    private func predictions(_ plan: Object) -> [Object] { plan["predictions"] as? [Object] ?? [] }

    @Test(arguments: [1, 2, 3, 4, 8]) func aPlanAgreesWithItself(ranks: Int) throws {
      let found = try plan(ranks: ranks, Self.job)
      let rows = predictions(found)
      try #require(!rows.isEmpty)
      let measured = try #require(found["measured"] as? Object)
      #expect(number(measured, "ranks") == Double(ranks) && number(measured, "servers") == 1)
      #expect(number(measured, "parameters") == 20 * 30 + 30 + 30 + 1)
      #expect(number(measured, "examples") == 600)
      for row in rows {
        let (step, batch) = (number(row, "stepSeconds"), number(row, "globalBatch"))
        #expect(step > 0 && number(row, "messageSeconds") == 0 && batch <= 600)
        #expect(abs(number(row, "examplesPerSecond") * step / batch - 1) < 1e-9)
        #expect(abs(number(row, "epochSeconds") * batch / (600 * step) - 1) < 1e-9)
        let one = try #require(
          rows.first { number($0, "ranks") == 1 && number($0, "globalBatch") == batch })
        #expect(
          abs(number(row, "efficiency") * number(row, "ranks") * step / number(one, "stepSeconds") - 1) < 1e-9
        )
      }
      // The job's own step is one that was measured.
      #expect(
        rows.contains {
          number($0, "ranks") == Double(ranks) && number($0, "globalBatch") == 64
            && $0["isMeasured"] as? Bool == true
        })
      #expect(number(found, "noiseScale") > 0)
      #expect((found["advice"] as? String)?.hasPrefix("advice: ") == true)
    }

    @Test(arguments: ["blas", "portable"]) func bothArithmetics(_ arithmetic: String) throws {
      let found = try plan(ranks: 2, Self.job + ["--arithmetic", arithmetic, "--optimizer", "lamb"])
      #expect((found["measured"] as? Object)?["arithmetic"] as? String == arithmetic)
    }

    /// Layers that look at the global batch, and data that are their own batch.
    @Test func batchesOfAllExamples() throws {
      let found = try plan(
        ranks: 3,
        ["--data", "synthetic:7,3", "--model", "dense:4 batchnorm:global dense", "--seconds", "0.1"])
      #expect(predictions(found).allSatisfy { number($0, "globalBatch") == 7 })
    }

    @Test func aloneItStartsARankOnEachCore() throws {
      let outcome = try run(["plan"] + Self.job + ["--json"])
      try #require(outcome.code == 0, "\(outcome)")
      let parsed = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? Object)
      let measured = try #require(parsed["measured"] as? Object)
      let cores = try #require(measured["alone"] as? Object).mapValues { $0 }["cores"] as? Int ?? 0
      #expect(number(measured, "ranks") > 1 || cores == 1)
    }

    /// A run that was made stands beside its prediction, and its noise and steps become a time to its loss.
    @Test(arguments: [1, 2]) func aRunBesideItsPrediction(ranks: Int) throws {
      let job = Array(Self.job.dropLast(2))
      let trained = try run(
        ranks: ranks, job + ["--epochs", "20", "--log-every", "2", "--quiet", "--output", folder("run")])
      try #require(trained.code == 0, "\(trained)")
      let found = try plan(
        ranks: ranks,
        Self.job + ["--against", folder("run"), "--from", folder("run"), "--output", folder("plan")])
      let comparison = try #require((found["comparisons"] as? [Object])?.first)
      #expect(number(comparison, "ranks") == Double(ranks) && number(comparison, "globalBatch") == 64)
      let (predicted, measured) = (
        number(comparison, "predictedSeconds"), number(comparison, "measuredSeconds")
      )
      #expect(
        predicted > 0 && measured > 0 && abs(number(comparison, "ratio") * measured / predicted - 1) < 1e-9)

      let (noise, least) = (number(found, "noiseScale"), number(found, "leastSteps"))
      let events = try readMetrics(folder("run/metrics.jsonl"))
      let told = events.last { $0.name == "step" && $0.number("noiseScale").isFinite }
      #expect(
        try #require(told).number("noiseScale") == noise
          && found["noiseSource"] as? String == "the run \(folder("run"))")
      for row in predictions(found) {
        let steps = least * (1 + noise / number(row, "globalBatch"))
        #expect(abs(number(row, "steps") / steps - 1) < 1e-9)
        #expect(abs(number(row, "secondsToLoss") / (steps * number(row, "stepSeconds")) - 1) < 1e-9)
      }
      // Steps to the loss that the run came to: all of its own, at its own batch.
      #expect(least * (1 + noise / 64) <= 200 * (1 + 1e-9))

      for name in ["plan.html", "plan.svg", "plan-loss.svg"] {
        #expect(try readFile(folder("plan/" + name)).contains("<svg"), "\(name)")
      }
      let again = try run([
        "plan", "--load", folder("plan/plan.json"), "--json", "--against", folder("run"), "--from",
        folder("run"),
      ])
      try #require(again.code == 0, "\(again)")
      #expect(
        try readFile(folder("plan/plan.json")) == again.output, "a plan that was read again tells the same")
    }

    @Test func machinesThatAreNotHere() throws {
      let found = try plan(
        ranks: 1,
        Self.job + [
          "--simulate", "latency=100us,bandwidth=1gbit,servers=12500,ranks=8,rate=1000", "--batches",
          "64,512",
          "--noise-scale", "100", "--servers", "1,2,12500", "--local-ranks", "8",
        ])
      let bytes = 4.0 * (20 * 30 + 30 + 30 + 1)
      for row in predictions(found) {
        let (servers, batch) = (number(row, "servers"), number(row, "globalBatch"))
        let rounds = servers == 1 ? 0 : servers == 2 ? 2 : 28.0
        let messages = rounds * 1e-4 + 2 * (servers - 1) / servers * bytes * 8e-9
        // Each rank has one example at least, or none.
        let rows = max(1, batch / (8 * servers)).rounded(.up)
        #expect(abs(number(row, "messageSeconds") - messages) < 1e-12)
        #expect(abs(number(row, "stepSeconds") / (rows / 1000 + messages) - 1) < 1e-9)
      }
      #expect(predictions(found).count == 6)
      let simulated = try plan(
        ranks: 2, Self.job + ["--simulate", "latency=100us,bandwidth=1gbit,servers=1024,ranks=4"])
      #expect(predictions(simulated).contains { number($0, "servers") == 1024 && number($0, "ranks") == 4 })
      #expect(predictions(simulated).allSatisfy { number($0, "stepSeconds") > 0 })
    }

    @Test(
      arguments: [
        ["--servers", "0"], ["--local-ranks", "0"], ["--batches", "0"], ["--batches", "601"],
        ["--seconds", "0"],
        ["--noise-scale", "0"], ["--target-loss", "1"], ["--servers", "2"], ["--simulate", "servers=2"],
        ["--shards", "1"], ["--servers", "100000", "--local-ranks", "2"],
      ])
    func refused(_ arguments: [String]) throws {
      let outcome = try run(ranks: 2, ["plan"] + Self.job + arguments)
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains(arguments[0]), "\(outcome)")
    }

    @Test func filesThatAreNoneOfOurs() throws {
      try folder.write("{\"a\": 1}\n", to: "other.json")
      try folder.write("{\"measured\": {\"alone\": {\"cores\": 1}}}\n", to: "part.json")
      try folder.write("{\"event\": \"run\", \"ranks\": 2}\n", to: "metrics.jsonl")
      for (arguments, code) in [
        (["--load", folder("none.json")], 66), (["--load", folder("metrics.jsonl")], 64),
        (["--load", folder("other.json")], 65), (["--load", folder("part.json")], 65),
        (["--against", folder("none")], 66), (["--from", folder("none")], 66),
        (["--against", folder("metrics.jsonl")], 65), (["--from", folder("metrics.jsonl")], 65),
      ] as [([String], Int32)] {
        let outcome = try run(["plan", "--ranks", "1"] + arguments)
        #expect(outcome.code == code && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errors.contains(arguments[0]) || code == 66, "\(outcome)")
      }
    }

    @Test func aRunOfAnotherModelIsNotCompared() throws {
      let trained = try run(["--quiet", "--output", folder("run")])
      try #require(trained.code == 0, "\(trained)")
      let outcome = try run(["plan", "--ranks", "1"] + Self.job + ["--against", folder("run")])
      #expect(outcome.code == 64 && outcome.errors.contains("parameters"), "\(outcome)")
      let unknown = try run(["plan", "--ranks", "1", "--from", folder("run")])
      #expect(unknown.code == 65 && unknown.errors.contains("noise scale"), "\(unknown)")
    }
  }
}
