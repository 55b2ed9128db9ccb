// The examples of docs/examples, as their packages build them: alone and under mpirun, with the same bits.
import Foundation
import TestSupport
import Testing

/// Where docs/examples/build has left their programs; `launch/test` has it build them before the tests.
private let examples = packageFolder + "/.build-examples/release"

extension JobTests {
  @Suite struct ExamplesTests {
    private let folder = TemporaryFolder()

    /// From scratch and concise end at the same loss.
    @Test(arguments: ["from-scratch", "concise"], [1, 2, 3]) func theChaptersLoop(
      _ program: String, ranks: Int
    ) throws {
      let outcome = try run(program: "\(examples)/\(program)", ranks: ranks, [])
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.output == "epoch 1, loss: 0.245\nepoch 2, loss: 0.246\n", "\(outcome)")
    }

    @Test(arguments: [("from-scratch", 80), ("concise", 20)]) func areShort(_ name: String, limit: Int) throws
    {
      let text = try readFile("\(packageFolder)/docs/examples/\(name)/Sources/main.swift")
      #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count - 1 < limit)
    }

    /// A layer, a loss and an optimizer of their own, each of another package: their words in `--model`, `--loss` and
    /// `--optimizer`, in checkpoints and in the model file.
    static let own: [(program: String, words: [String], learned: String)] = [
      (
        "own-layer",
        [
          "--model", "wave:5 tanh residual(dense:12 wave:1 relu dense:12) dense", "--data",
          "synthetic:600,16", "--lr", "0.02",
        ],
        "wave:5 tanh residual(dense:12 wave:1 relu dense:12) dense:1"
      ),
      ("own-loss", ["--loss", "pinball:quantile=0.75", "--data", "airfoil-like"], "pinball:quantile=0.75"),
      (
        "own-optimizer", ["--optimizer", "lion:beta2=0.98", "--model", "mlp:16", "--data", "airfoil-like"],
        "dense:16 relu dense:1"
      ),
    ]

    @Test(arguments: own) func sameBitsAndAFileThatTells(
      _ own: (program: String, words: [String], learned: String)
    ) throws {
      let program = "\(examples)/\(own.program)"
      let words = own.words + ["--shards", "8", "--quiet", "--log-every", "1", "--log-hashes"]
      let alone = try run(program: program, words + ["--steps", "40", "--output", folder("1")])
      try #require(alone.code == 0, "\(alone)")
      let expected = try Trace(folder("1/metrics.jsonl"))
      #expect(Set(expected.hashes).count == 40 && expected.losses.last! < expected.losses[0])
      for ranks in [2, 3, 8] {
        // Killed off in good order half way, and gone on with by other ranks.
        let name = "\(ranks)"
        let half = try run(
          program: program, ranks: ranks,
          words + ["--steps", "23", "--checkpoint-every", "23", "--output", folder(name)])
        try #require(half.code == 0, "\(half)")
        let rest = try run(
          program: program, ranks: 4, ["--resume", folder(name), "--steps", "40", "--quiet"])
        try #require(rest.code == 0, "\(rest)")
        let trace = try Trace(folder("\(name)/metrics.jsonl"))
        #expect(trace.hashes == expected.hashes, "\(ranks) ranks: \(trace.firstDifference(from: expected))")
      }
      let file = String(
        decoding: try Data(contentsOf: URL(fileURLWithPath: folder("1/model.safetensors"))), as: UTF8.self)
      #expect(file.contains(own.learned))
      let data = own.words[own.words.firstIndex(of: "--data")! + 1]
      let evaluated = try run(
        program: program, ranks: 2, ["evaluate", "--model", folder("1/model.safetensors"), "--data", data])
      #expect(evaluated.code == 0 && evaluated.output.hasPrefix("loss: "), "\(evaluated)")
      let predicted = try run(
        program: program, ["predict", "--model", folder("1/model.safetensors"), "--data", data])
      #expect(predicted.code == 0 && predicted.output.split(separator: "\n").count > 500, "\(predicted)")
    }

    /// `verify` of a program of one's own starts that program.
    @Test func verifiesItself() throws {
      let outcome = try run(
        program: "\(examples)/own-layer",
        [
          "verify", "--ranks", "1,3", "--model", "wave:3 relu dense", "--data", "synthetic:300,8", "--steps",
          "20",
        ])
      #expect(outcome.code == 0 && outcome.output.contains("every step the same"), "\(outcome)")
    }

    /// distsgd itself knows none of them, and says which there are.
    @Test func otherProgramsDoNotKnowThem() throws {
      let outcome = try run(["--optimizer", "lion", "--output", folder("run")])
      #expect(outcome.code == 64 && outcome.errors.contains("there is no optimizer 'lion'"), "\(outcome)")
    }

    /// Examples from memory: a run with checkpoints and hooks, gone on with at another number of ranks.
    @Test func ownData() throws {
      let program = "\(examples)/own-data"
      for ranks in [1, 2, 3, 8] {
        let outcome = try run(program: program, ranks: ranks, [folder("\(ranks)"), "5"])
        #expect(outcome.code == 0 && outcome.output.contains("parameter hash: "), "\(outcome)")
        #expect(outcome.output.contains("smallest loss of a batch: "), "\(outcome)")
      }
      let hashes = try [1, 2, 3, 8].map { try Trace(folder("\($0)/metrics.jsonl")).finalHash }
      #expect(Set(hashes).count == 1, "\(hashes)")
      for (ranks, words) in [(3, ["3"]), (8, ["5", "resume"])] {
        let outcome = try run(program: program, ranks: ranks, [folder("parts")] + words)
        try #require(outcome.code == 0, "\(outcome)")
      }
      #expect(try Trace(folder("parts/metrics.jsonl")).finalHash == hashes[0])
    }
  }
}
