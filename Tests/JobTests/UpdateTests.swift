// Optimizers that look at norms, clipping, warm-up: the same bits at any number of ranks, through a kill and again.
import DataFormats
import Foundation
import TestSupport
import Testing

/// What is trained, and its update.
private let small = ["--data", "synthetic:400,6", "--model", "mlp:16", "--global-batch", "37"]
/// Several blocks of the arena, of which the ranks own some each, or none.
private let large = ["--data", "synthetic:400,20", "--model", "mlp:90,40", "--global-batch", "64"]
private let updates = [
  "--optimizer adam --weight-decay 0.01 --clip-norm 1 --warmup 1epoch",
  "--optimizer lars:trust=0.02 --weight-decay 0.001 --schedule polynomial:power=2 --warmup 5,from=0.1",
  "--optimizer lamb --clip-norm 0.5 --no-decay-for bias,norm --lr 0.01 --schedule one-cycle",
  "--optimizer rmsprop --momentum 0.9 --clip-value 0.01 --lr 0.001 --schedule exponential:factor=0.7",
  "--optimizer sgd --momentum 0.9 --nesterov --lr 0.01 --scale-learning-rate sqrt --base-batch 16",
  "--optimizer adagrad --no-decay-for bias --weight-decay 0.1 --clip-norm 2",
  "--optimizer adadelta --schedule inverse-sqrt --warmup 7",
]

extension JobTests {
  @Suite struct UpdateTests: ReproducingSuite {
    let folder = TemporaryFolder()

    /// `gradientNorm` of every step.
    private func norms(_ run: String) throws -> [Double] {
      try readMetrics(folder(run + "/metrics.jsonl")).filter { $0.name == "step" }.map {
        $0.number("gradientNorm")
      }
    }

    @Test(arguments: updates, ["blas", "portable"]) func sameBitsAtAnyNumberOfRanks(
      _ update: String, _ arithmetic: String
    ) throws {
      for (size, job) in [small, large].enumerated() {
        let words =
          job + update.split(separator: " ").map(String.init) + [
            "--arithmetic", arithmetic, "--epochs", "2", "--log-every", "1", "--log-hashes",
          ]
        _ = try train(words, to: "\(size)-1")
        let expected = try Trace(folder("\(size)-1/metrics.jsonl"))
        let expectedNorms = try norms("\(size)-1")
        #expect(expected.hashes.count == (size == 0 ? 22 : 14))
        #expect(Set(expected.hashes).count == expected.hashes.count)
        #expect(expectedNorms.allSatisfy { $0 > 0 && $0.isFinite })
        for ranks in [2, 3, 4, 8] {
          let run = "\(size)-\(ranks)"
          _ = try train(words, ranks: ranks, to: run)
          let trace = try Trace(folder(run + "/metrics.jsonl"))
          #expect(trace == expected, "\(ranks) ranks: \(trace.firstDifference(from: expected))")
          #expect(try norms(run) == expectedNorms, "\(ranks) ranks")
        }
      }
    }

    /// With other shards the additions have another order: nearly the same norms, and other bits.
    @Test func anotherNumberOfShardsHasNearlyTheSameNorms() throws {
      let words = large + ["--optimizer", "lamb", "--clip-norm", "0.5", "--steps", "6", "--log-every", "1"]
      _ = try train(words + ["--shards", "8"], to: "8")
      _ = try train(words + ["--shards", "3"], ranks: 2, to: "3")
      let (eight, three) = (try norms("8"), try norms("3"))
      #expect(eight != three)
      for (a, b) in zip(eight, three) { #expect(abs(a - b) < 1e-4 * a) }
    }

    /// A norm is told with the steps that are told, and changes nothing.
    @Test func whatIsNotToldIsNotMeasured() throws {
      _ = try train(large + ["--log-every", "5", "--log-hashes", "--steps", "12"], ranks: 3, to: "some")
      _ = try train(large + ["--log-every", "1", "--log-hashes", "--steps", "12"], ranks: 2, to: "all")
      let (some, all) = (try norms("some"), try norms("all"))
      #expect(some.count == 2 && some == [all[4], all[9]])
      #expect(
        try Trace(folder("some/metrics.jsonl")).finalHash == Trace(folder("all/metrics.jsonl")).finalHash)
    }

    /// A rank dies; fewer or more go on, and all of it is made again.
    @Test(arguments: updates) func throughAKillAndAgain(_ update: String) throws {
      let words =
        large + update.split(separator: " ").map(String.init) + [
          "--epochs", "200", "--shards", "8", "--log-every", "50", "--log-hashes",
        ]
      _ = try train(words, ranks: 2, to: "whole")
      let expected = try Trace(folder("whole/metrics.jsonl"))
      let killed = try run(
        ranks: 3,
        words + [
          "--checkpoint-every", "100", "--inject", "kill:rank=1,step=1100", "--quiet", "--output",
          folder("run"),
        ])
      #expect(killed.code != 0 && !killed.hung, "\(killed)")
      let resumed = try run(ranks: 4, ["--resume", folder("run"), "--quiet"])
      try #require(resumed.code == 0, "\(resumed)")
      let trace = try Trace(folder("run/metrics.jsonl"))
      #expect(trace == expected, "\(trace.firstDifference(from: expected))")
      #expect(try norms("run") == norms("whole"))
      let again = try reproduce(folder("run"), ranks: 3)
      #expect(
        again.code == 0 && again.output.hasSuffix(" parameters, hash \(expected.finalHash)\n"), "\(again)")
    }

    /// A resume cannot change the update.
    @Test(arguments: [
      "--clip-norm 3", "--clip-value 1", "--no-decay-for bias", "--warmup 9", "--scale-learning-rate linear",
    ])
    func aResumeKeepsTheUpdate(_ other: String) throws {
      let words = small + ["--clip-norm", "2", "--warmup", "5", "--steps", "6"]
      _ = try train(words + ["--checkpoint-every", "3"])
      let outcome = try run(
        ["--resume", folder("run"), "--steps", "9"] + other.split(separator: " ").map(String.init))
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains(String(other.prefix { $0 != " " })), "\(outcome)")
    }

    @Test func verifies() throws {
      let outcome = try run(
        ["verify", "--ranks", "1,2,3,4,8", "--steps", "12"] + large + [
          "--optimizer", "lamb", "--clip-norm", "0.3", "--warmup", "3,from=0.5",
        ])
      #expect(
        outcome.code == 0
          && outcome.output.contains(
            "verified: 12 steps, 8 shards, one hash per step at 1, 2, 3, 4, 8 ranks"),
        "\(outcome)")
    }

    @Test(arguments: [
      ("--momentum 0.9 --optimizer adam", "momentum"), ("--momentum 1", "below 1"),
      ("--momentum 0.5 --optimizer sgd:momentum=0.9", "leave one of them out"),
      ("--nesterov", "needs a momentum"), ("--weight-decay -1", "from 0"), ("--clip-norm 0", "above 0"),
      ("--clip-norm 1 --clip-value 1", "leave one of them out"), ("--clip-value nan", "above 0"),
      ("--no-decay-for weights", "bias and norm"), ("--warmup 5x", "5epochs"),
      ("--scale-learning-rate linear", "--base-batch"), ("--base-batch 32", "--scale-learning-rate"),
      ("--scale-learning-rate cubic --base-batch 32", "cubic"), ("--base-batch 0", "at least 1"),
      ("--schedule cosine:x", "x"), ("schedule --rows 1", "at least 2"),
      ("schedule --examples 10 --global-batch 11", "at most 10"),
      ("bench update --optimizer lamb", "rules of one pass"),
    ])
    func mistakes(_ words: String, _ reason: String) throws {
      let outcome = try run(words.split(separator: " ").map(String.init))
      #expect(outcome.code == 64 && outcome.errorLines.count == 1 && outcome.output == "", "\(outcome)")
      #expect(outcome.errors.contains(reason), "\(outcome)")
    }

    /// What `schedule` shows is what a run with the same words does.
    @Test(arguments: [
      "--schedule cosine:floor=0.1 --warmup 1epoch", "--schedule one-cycle --lr 0.02",
      "--optimizer adam --schedule inverse-sqrt --warmup 10,from=0.2",
      "--schedule exponential:factor=0.5 --scale-learning-rate linear --base-batch 16 --lr 0.05",
      "--steps 20 --schedule polynomial",
    ])
    func scheduleShowsTheRatesOfARun(_ words: String) throws {
      let words = words.split(separator: " ").map(String.init) + ["--global-batch", "64", "--lr=0.02"]
      _ = try train(words + ["--data", "synthetic:1000,5", "--log-every", "1"])
      let rates = try readMetrics(folder("run/metrics.jsonl")).filter { $0.name == "step" }.map {
        $0.number("learningRate")
      }
      let outcome = try run(
        [
          "schedule", "--json", "--rows", "100", "--examples", "1000", "--svg", folder("a.svg"), "--html",
          folder("a.html"),
        ]
          + words)
      try #require(outcome.code == 0, "\(outcome)")
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      let rows = try #require(object["rates"] as? [[String: Any]])
      #expect(object["steps"] as? Int == rates.count)
      #expect(rows.map { $0["learningRate"] as? Double } == rates)
      #expect(rows.map { $0["step"] as? Int } == Array(1...rates.count))
      #expect(try readFile(folder("a.svg")).hasPrefix("<svg"))
      #expect(try readFile(folder("a.html")).contains("Learning rate"))
      // From data instead of a number.
      let counted = try run(["schedule", "--json", "--rows", "100", "--data", "synthetic:1000,5"] + words)
      #expect(counted.output == outcome.output, "\(counted)")
    }

    @Test func updateBench() throws {
      let outcome = try run([
        "bench", "update", "--parameters", "100000", "--optimizer", "adam", "--optimizer", "rmsprop",
        "--json",
      ])
      let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
      let rules = try #require(object?["rules"] as? [[String: Any]], "\(outcome)")
      #expect(rules.map { $0["bytesPerParameter"] as? Int } == [28, 20])
      #expect(rules.allSatisfy { ($0["ofTriad"] as? Double ?? 0) > 0 })
    }
  }
}
