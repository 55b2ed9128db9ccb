// A program with a layer of its own that asks for sums over the global batch: the promise holds for it too.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct OwnLayerTests {
    private let folder = TemporaryFolder()

    static let jobs = [
      ["dense:12 center tanh dense", "100", "8", "15"],
      // Batches smaller than the shards, and than the ranks: some of them have no rows, and add up all the same.
      ["dense:12 residual(center dense:12 tanh) center gelu dense", "3", "8", "30"],
      ["center dense:64 gelu residual(dense:64 center relu dropout:0.3 dense:64) dense", "50", "13", "20"],
    ]

    private func train(
      _ name: String, ranks: Int, _ words: [String], schedule: String = "cosine", resumes: Bool = false
    ) throws -> Outcome {
      try run(
        program: ownJob, ranks: ranks, (resumes ? ["--resume"] : []) + [folder(name)] + words + [schedule],
        limit: 60)
    }

    @Test(arguments: jobs) func sameBitsAtAnyNumberOfRanks(_ words: [String]) throws {
      let alone = try train("1", ranks: 1, words)
      try #require(alone.code == 0, "\(alone)")
      let expected = try Trace(folder("1/metrics.jsonl"))
      #expect(Set(expected.hashes).count == Int(words[3]))
      for ranks in [2, 3, 4, 8] {
        let outcome = try train("\(ranks)", ranks: ranks, words)
        try #require(outcome.code == 0, "\(ranks) ranks: \(outcome)")
        let trace = try Trace(folder("\(ranks)/metrics.jsonl"))
        let isEqual = trace == expected
        #expect(isEqual, "\(ranks) ranks differ at \(trace.firstDifference(from: expected))")
      }
    }

    /// A layer of the whole batch makes other gradients than one of shards would, so that another cut of the batch
    /// gives nearly the same.
    @Test func anotherCutGivesNearlyTheSame() throws {
      var losses: [Double] = []
      for shards in ["8", "5"] {
        let outcome = try train(shards, ranks: 2, [Self.jobs[0][0], "100", shards, "15"])
        try #require(outcome.code == 0, "\(outcome)")
        losses.append(try Trace(folder("\(shards)/metrics.jsonl")).losses[14])
      }
      #expect(abs(losses[0] - losses[1]) < 1e-4 * losses[0], "\(losses)")
    }

    /// Stopped at step 20, and gone on with by other ranks.
    @Test func resumedAtAnotherNumberOfRanks() throws {
      var words = Self.jobs[2]
      words[3] = "40"
      try #require(try train("whole", ranks: 1, words, schedule: "constant").code == 0)
      words[3] = "20"
      for (steps, ranks) in [("20", 3), ("31", 8), ("40", 1)] {
        words[3] = steps
        let outcome = try train(
          "parts", ranks: ranks, words, schedule: "constant", resumes: steps != "20")
        try #require(outcome.code == 0, "\(outcome)")
      }
      #expect(
        try Trace(folder("parts/metrics.jsonl")).hashes == Trace(folder("whole/metrics.jsonl")).hashes)
    }

    /// The learning rate of one rank goes astray.
    @Test(arguments: [2, 3]) func anotherLearningRateIsNoticed(_ ranks: Int) throws {
      let outcome = try train("run", ranks: ranks, ["dense", "100", "4", "100"], schedule: "drift")
      #expect(outcome.code == 70 && outcome.errorLines.count == 1, "\(outcome)")
      let others = ranks == 2 ? "rank 0" : "the other ranks"
      #expect(outcome.errors.contains("rank 1 on "), "\(outcome)")
      #expect(outcome.errors.contains("does not do the same as \(others) in step 31"), "\(outcome)")
    }
  }
}
