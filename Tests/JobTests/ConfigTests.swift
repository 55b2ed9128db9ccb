// Options from a file, each run's own file of them, folders of runs that begin together, and what a run tells of its start.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct ConfigTests {
    private let folder = TemporaryFolder()

    private func hash(_ run: String) throws -> String {
      try #require(try readMetrics(folder(run + "/metrics.jsonl")).last).text("parameterHash")
    }

    /// Trains by a file of options, and returns the parameters' hash.
    private func train(
      _ config: String, _ words: [String] = [], ranks: Int = 1, to name: String = "run",
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
      let file = try folder.write(config, to: "\(name).yaml")
      let outcome = try run(
        ranks: ranks, ["--config", file, "--output", folder(name)] + words, directory: folder.path)
      try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
      return try hash(name)
    }

    @Test(arguments: [1, 2, 3, 4, 8]) func optionsByTheirNames(_ ranks: Int) throws {
      let flags = [
        "--epochs", "3", "--lr", "0.05", "--model", "dense:8 relu dropout:0.1 dense", "--no-standardize",
        "--shards",
        "8", "--momentum", "0.9", "--seed", "7", "--quiet",
      ]
      let outcome = try run(flags + ["--output", folder("flags")])
      try #require(outcome.code == 0, "\(outcome)")
      let expected = try hash("flags")
      let config = """
        # A run of few steps.
        epochs: 3
        lr: 0.05
        model: [dense:8, relu, 'dropout:0.1', dense]   # a text of layers
        standardize: false
        shards: 8
        momentum: 0.9
        seed: "7"
        quiet: on
        nesterov: no
        """
      #expect(try train(config, ranks: ranks) == expected)
    }

    @Test func theCommandLineWins() throws {
      let one = try train("epochs: 1\nlearning-rate: 0.3\nseed: 4\nquiet: true\n", to: "one")
      #expect(
        try train(
          "epochs: 9\nlearning-rate: 5\nseed: 4\nstandardize: true\nquiet: true\n",
          ["--epochs=1", "--lr", "0.3", "--no-standardize"], to: "two") == one)
      // Of two files the later one.
      let first = try folder.write("epochs: 5\nlr: 0.3\n", to: "first.yaml")
      #expect(
        try train("epochs: 1\nseed: 4\nquiet: true\n", to: "base") != one)
      let second = try folder.write("epochs: 1\nseed: 4\n", to: "second.yaml")
      let outcome = try run(["--config", first, "--config=\(second)", "--quiet", "--output", folder("both")])
      #expect(try outcome.code == 0 && hash("both") == one, "\(outcome)")
    }

    @Test func listsOfColumnsAndWords() throws {
      let data = try folder.writeTable()
      let table = try readFile(data).replacingOccurrences(of: "\n5", with: "\n-999,5")
      try folder.write(table, to: "gaps.csv")
      let outcome = try run([
        "--data", data, "--target", "price", "--features", "\"height, mm\",age", "--quiet", "--output",
        folder("flags"),
      ])
      try #require(outcome.code == 0, "\(outcome)")
      let config = "data: \(data)\ntarget: price\nfeatures: ['height, mm', age]\nquiet: true\n"
      #expect(try train(config) == hash("flags"))
      let words = "data: \(data)\ntarget: price\nmissing-value: ['5', none]\nmissing: drop\nquiet: true\n"
      _ = try train(words, to: "words")
    }

    @Test(
      arguments: [
        ("epoch: 3\n", 64, "line 1: unknown option 'epoch': did you mean --epochs?"),
        ("lr: 1\nbatch_size: 3\n", 64, "line 2: unknown option 'batch_size': did you mean --global-batch"),
        ("global_batch: 3\n", 64, "unknown option 'global_batch': write 'global-batch'"),
        ("clip-nrm: 1\n", 64, "unknown option 'clip-nrm': did you mean 'clip-norm'?"),
        ("--epochs: 1\n", 64, "unknown option '--epochs': write 'epochs'"),
        ("help: true\n", 64, "unknown option 'help'"), ("config: x.yaml\n", 64, "names no other one"),
        ("quiet: 3\n", 64, "line 1: 'quiet' is on or off"), ("quiet: [true]\n", 64, "'quiet' is on or off"),
        ("\nepochs: many\n", 64, "line 2: The value 'many' is invalid for '--epochs"),
        ("\n\nepochs: 0\n", 64, "line 3: --epochs 0: must be"), ("model: lnet\n", 64, "line 1: "),
        ("optimizer: {sgd: 1}\n", 65, "line 1: 'optimizer' holds options of its own"),
        ("epochs: [1\n", 65, "line 2: it is no YAML"),
      ] as [(String, Int32, String)], [1, 2])
    func mistakes(_ attempt: (text: String, code: Int32, words: String), _ ranks: Int) throws {
      let file = try folder.write(attempt.text, to: "c.yaml")
      let outcome = try run(ranks: ranks, ["--config", file, "--quiet", "--output", folder("run")])
      #expect(outcome.code == attempt.code && outcome.errorLines.count == 1, "\(outcome)")
      #expect(
        outcome.errors.contains("--config \(file) ") && outcome.errors.contains(attempt.words), "\(outcome)")
      #expect(!FileManager.default.fileExists(atPath: folder("run")))
    }

    @Test func filesThatAreNone() throws {
      let missing = try run(["--config", folder("none.yaml")])
      #expect(missing.code == 66 && missing.errors.contains("no such file") && missing.errorLines.count == 1)
      let other = try run(["bench", "gather", "--config", try folder.write("a: 1", to: "a.yaml")])
      #expect(other.code == 64 && other.errors.contains("Unknown option '--config'"), "\(other)")
    }

    /// Runs of different kinds, each made again from its own file, on another number of ranks.
    @Test(arguments: [
      [],
      [
        "--schedule", "cosine", "--optimizer", "adam:beta1=0.8", "--lr", "0.01", "--warmup",
        "1epochs,from=0.1",
      ],
      [
        "--sampling", "replacement", "--duplicate", "2", "--global-batch", "100", "--last-batch", "drop",
        "--steps", "40",
      ],
      [
        "--arithmetic", "portable", "--model", "mlp:16", "--clip-norm", "1", "--ema", "0.9",
        "--no-standardize",
      ],
      [
        "--validation", "0.2", "--keep-best", "--loss", "huber:delta=0.5", "--micro-batch", "5", "--seed",
        "3",
      ],
    ]) func aRunsOwnFileRepeatsIt(_ words: [String]) throws {
      let first = try run(ranks: 3, words + ["--quiet", "--output", folder("run")])
      try #require(first.code == 0, "\(first)")
      for ranks in [1, 2] {
        let again = try run(
          ranks: ranks,
          ["--config", folder("run/config.yaml"), "--quiet", "--output", folder("again\(ranks)")])
        #expect(try again.code == 0 && hash("again\(ranks)") == hash("run"), "\(again)")
      }
      // The file of the second says the same as that of the first.
      let texts = try ["run", "again1"].map {
        try readFile(folder("\($0)/config.yaml")).split(separator: "\n").filter { !$0.hasPrefix("#") }
      }
      #expect(texts[0] == texts[1] && texts[0].contains("shards: 8"))
    }

    @Test func otherCommandsTakeAFileToo() throws {
      let file = try folder.write("epochs: 1\nshards: 4\nlr: 0.25\n", to: "c.yaml")
      let verified = try run(["verify", "--config", file, "--ranks", "1,2", "--steps", "3"])
      #expect(verified.code == 0 && verified.output.contains("verified: 3 steps"), "\(verified)")
      let schedule = try run(["schedule", "--config", file, "--examples", "1000", "--rows", "3"])
      #expect(schedule.code == 0 && schedule.output.contains("0.25"), "\(schedule)")
    }

    @Test func resumedByAFile() throws {
      let config = "epochs: 4\ncheckpoint-every: 10\nlog-every: 1\nquiet: true\n"
      let whole = try train(config, to: "whole")
      _ = try train(config, ["--steps", "17"], ranks: 2, to: "part")
      let file = try folder.write("steps: 48\n", to: "more.yaml")
      let outcome = try run(ranks: 3, ["--resume", folder("part"), "--config", file, "--quiet"])
      #expect(try outcome.code == 0 && hash("part") == whole, "\(outcome)")
      #expect(try readFile(folder("part/config.yaml")).contains("\nsteps: 48\n"))
    }

    @Test func jobsThatBeginTogetherHaveFoldersOfTheirOwn() throws {
      let children = try (0..<4).map { _ in
        try start(ranks: 1, ["--quiet", "--epochs", "1"], directory: folder.path)
      }
      for child in children {
        let outcome = child.wait(limit: 60)
        #expect(outcome.code == 0, "\(outcome)")
      }
      let runs = try FileManager.default.contentsOfDirectory(atPath: folder("runs"))
      #expect(runs.count == 4, "\(runs)")
      for run in runs {
        #expect(try readMetrics(folder("runs/\(run)/metrics.jsonl")).last?.name == "end")
      }
    }

    @Test func aRunTellsWhenAndHowItWasStarted() throws {
      let before = Date()
      let words = ["--quiet", "--output", folder("run"), "--epochs", "1", "--target", "odd 'name'"]
      let odd = try run(words)
      #expect(odd.code == 65 || odd.code == 64, "\(odd)")
      let outcome = try run(ranks: 2, ["--quiet", "--output", folder("run"), "--epochs", "1"])
      try #require(outcome.code == 0, "\(outcome)")
      let event = try #require(try readMetrics(folder("run/metrics.jsonl")).first)
      let date = try #require(ISO8601DateFormatter().date(from: event.text("date")))
      #expect(date.timeIntervalSince(before) > -2 && date.timeIntervalSinceNow < 2)
      #expect(
        event.fields["commandLine"] as? [String]
          == [distsgd, "--quiet", "--output", folder("run"), "--epochs", "1"])
    }
  }
}
