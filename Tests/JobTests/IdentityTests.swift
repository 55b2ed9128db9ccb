// The promise: at equal shards the same bits after every step, at any number of ranks and on any placement.
import Foundation
import TestSupport
import Testing

/// A training that is tried at several numbers of ranks.
struct IdentityCase: Sendable, CustomTestStringConvertible {
  let name: String
  /// Arguments of `train`; CLASSES stands for the classification set.
  let arguments: [String]
  let ranks: [Int]
  var steps: Int

  var testDescription: String { name }

  /// - Parameter model: a text of layers, which may have blanks in it.
  init(_ name: String, _ arguments: String, model: String? = nil, ranks: [Int], steps: Int) {
    self.name = name
    self.arguments = arguments.split(separator: " ").map(String.init) + (model.map { ["--model", $0] } ?? [])
    self.ranks = ranks
    self.steps = steps
  }

  static let all = [
    IdentityCase(
      "the default job", "--shards 8 --global-batch 128", ranks: [2, 3, 4, 5, 6, 7, 8], steps: 24),
    IdentityCase("batch 7, 3 shards", "--shards 3 --global-batch 7 --steps 230", ranks: [2, 3], steps: 230),
    IdentityCase(
      "batch 3, 8 shards", "--shards 8 --global-batch 3 --steps 60", ranks: [2, 3, 4, 8], steps: 60),
    IdentityCase(
      "replacement, copies, drop, micro-batches",
      "--shards 8 --global-batch 100 --sampling replacement --duplicate 2 --last-batch drop --micro-batch 3 --epochs 1",
      ranks: [2, 3, 4, 8], steps: 30),
    IdentityCase(
      "copies, short last batch", "--shards 5 --global-batch 999 --duplicate 2 --seed 9",
      ranks: [2, 3, 4, 5],
      steps: 8),
    IdentityCase(
      "sequential, validation",
      "--shards 4 --global-batch 64 --sampling sequential --validation 0.1 --evaluate-every 500",
      ranks: [3, 4], steps: 44),
    // Up to 2,047 parameters every rank adds up everything; above, each its part.
    IdentityCase(
      "small mlp", "--data CLASSES --model mlp:16 --shards 8 --global-batch 40 --epochs 3", ranks: [2, 3, 8],
      steps: 12),
    IdentityCase(
      "mlp", "--data CLASSES --model mlp:64,32 --shards 8 --global-batch 40 --epochs 3", ranks: [2, 3, 4, 8],
      steps: 12),
    IdentityCase(
      "mlp, batch smaller than shards, micro-batches",
      "--data CLASSES --model mlp:64,32 --activation tanh --shards 13 --global-batch 11 --micro-batch 2 --last-batch keep",
      ranks: [4, 8], steps: 28),
    IdentityCase(
      "regression mlp", "--data synthetic:500,20 --model mlp:100,30 --loss squared --shards 6 --steps 9",
      ranks: [2, 4],
      steps: 9),
    IdentityCase(
      "softmax, 64 shards",
      "--data CLASSES --model softmax --shards 64 --global-batch 150 --lr 0.05 --epochs 4",
      ranks: [3, 8], steps: 4),
    // Replicated parameters, and with them the optimizer's state.
    IdentityCase(
      "adam, dropout, residual, cosine: small",
      "--optimizer adam --schedule cosine --lr 0.01 --shards 8 --global-batch 100",
      model: "dense:16 gelu dropout:0.3 residual(dense:16 tanh dropout:0.5 dense:16) dense",
      ranks: [2, 3, 4, 8], steps: 30),
    // Split among the ranks.
    IdentityCase(
      "adam, dropout, residual, cosine: large",
      "--data CLASSES --optimizer adam:beta2=0.99 --schedule cosine:floor=0.1 --shards 8 --global-batch 40 --epochs 4",
      model: "dense:64 gelu dropout:0.2 residual(dense:64 relu dropout:0.5 dense:64) dense",
      ranks: [2, 3, 4, 8], steps: 16),
    IdentityCase(
      "adamw, dropout in micro-batches, copies, replacement",
      "--data CLASSES --optimizer adamw --shards 8 --global-batch 37 --micro-batch 3 --duplicate 2 --sampling replacement",
      model: "dropout:0.1 dense:80 relu dropout:0.5 dense", ranks: [3, 8], steps: 18),
    IdentityCase(
      "nesterov, huber, batch smaller than ranks",
      "--data synthetic:50,40 --loss huber:delta=0.5 --optimizer sgd:momentum=0.9,nesterov,weight-decay=0.01 --lr 0.01 --shards 8 --global-batch 3 --epochs 1",
      model: "dense:80 sigmoid residual(gelu) dense", ranks: [2, 4, 8], steps: 17),
    // 7,937 parameters: two blocks of additions for each of two ranks.
    IdentityCase(
      "optimizer state, two blocks, two ranks",
      "--data synthetic:200,60 --model mlp:128 --optimizer sgd:momentum=0.9 --lr 0.01 --shards 2 --global-batch 50",
      ranks: [2], steps: 8),
  ]
}

extension JobTests {
  @Suite struct IdentityTests {
    private let folder = TemporaryFolder()

    @Test(arguments: IdentityCase.all) func sameBitsAtAnyNumberOfRanks(_ test: IdentityCase) throws {
      let classes = try folder.writeClasses()
      let arguments = test.arguments.map { $0 == "CLASSES" ? classes : $0 }
      let expected = try train(ranks: 1, arguments)
      #expect(expected.losses.count == test.steps)
      #expect(expected.finalHash.count == 16 && expected.hashes.last == expected.finalHash)
      #expect(Set(expected.hashes).count == test.steps, "every step changes the parameters")
      #expect(expected.losses.allSatisfy { $0.isFinite })
      for ranks in test.ranks {
        let trace = try train(ranks: ranks, arguments)
        let isEqual = trace == expected
        #expect(isEqual, "\(ranks) ranks differ at \(trace.firstDifference(from: expected))")
      }
    }

    /// Another number of shards is another order of additions: the test above can fail.
    @Test func anotherNumberOfShardsGivesOtherBits() throws {
      let expected = try train(ranks: 1, ["--shards", "8"])
      let other = try train(ranks: 2, ["--shards", "7"])
      #expect(other.hashes != expected.hashes)
      #expect(
        abs(other.finalLoss - expected.finalLoss) < 1e-5 * expected.finalLoss, "but nearly the same model")
    }

    /// The default: 8 shards, or the next power of two for more ranks; a small batch has no more than examples.
    @Test(arguments: [1, 2, 3, 8]) func eightShardsByDefault(ranks: Int) throws {
      #expect(try train(ranks: ranks, []) == train(ranks: 1, ["--shards", "8"]))
    }

    @Test func shardsOfManyRanks() throws {
      #expect(try train(ranks: 9, []) == train(ranks: 1, ["--shards", "16"]))
      #expect(
        try train(ranks: 3, ["--global-batch", "2"])
          == train(ranks: 1, ["--global-batch", "2", "--shards", "2"]))
    }

    /// One rank under mpirun, and MPI without mpirun.
    @Test func mpiWithOneRank() throws {
      let expected = try train(ranks: 1, ["--shards", "4"])
      #expect(try train(ranks: 1, ["--shards", "4"], environment: ["DISTSGD_MPI": "1"]) == expected)
      let output = folder("alone")
      let child = try Child(
        "mpirun",
        [
          "-np", "1", distsgd, "--shards", "4", "--log-every", "1", "--log-hashes", "--quiet", "--output",
          output,
        ],
        environment: mpiEnvironment)
      let outcome = child.wait(limit: 60)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(try Trace(output + "/metrics.jsonl") == expected)
    }

    /// A model saved after one epoch and trained on is the model of two epochs (in sequential order, where the
    /// epochs are alike).
    @Test func initializeGoesOnWhereAModelEnded() throws {
      let common = ["--shards", "4", "--sampling", "sequential"]
      let expected = try train(ranks: 1, common + ["--epochs", "2"])
      let first = try run(ranks: 2, common + ["--epochs", "1", "--quiet", "--output", folder("first")])
      try #require(first.code == 0, "\(first)")
      for ranks in [1, 4] {
        let trace = try train(
          ranks: ranks, common + ["--epochs", "1", "--initialize", folder("first/model.safetensors")])
        #expect(trace.hashes == Array(expected.hashes[12...]))
      }
    }
  }
}
