// A loss that grows and stays finite is told, with a learning rate at which it falls.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct GrowthTests {
    private let folder = TemporaryFolder()

    /// Thirty columns that say nearly the same, whose covariance has an eigenvalue of nearly thirty.
    private func writeCorrelated(rows: Int) throws -> String {
      var numbers = MadeNumbers(21)
      let lines = (0..<rows).map { _ in
        let common = numbers.float()
        let x = (0..<30).map { _ in common + 0.1 * numbers.float() }
        return (x + [common + 0.5 * numbers.float()]).map { "\($0)" }.joined(separator: ",")
      }
      return try folder.write(lines.joined(separator: "\n") + "\n", to: "wide.csv")
    }

    private func end(_ words: [String], ranks: Int = 1) throws -> Outcome {
      try run(ranks: ranks, words + ["--quiet", "--output", folder("run-\(UInt32.random(in: 0 ... .max))")])
    }

    /// The number that a line says to lower the learning rate to.
    private func advice(_ outcome: Outcome) throws -> String {
      let rest = try #require(outcome.errors.components(separatedBy: "lower --learning-rate to ").last)
      return String(rest.prefix { $0 != " " })
    }

    @Test(arguments: [1, 3]) func aGrowingLossIsToldOnce(_ ranks: Int) throws {
      let words = ["--data", try writeCorrelated(rows: 500), "--epochs", "3"]
      let outcome = try end(words, ranks: ranks)
      #expect(outcome.code == 0 && outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
      #expect(outcome.errors.contains("warning: the loss has grown from 0."), "\(outcome)")
      #expect(outcome.errors.contains("(it is 0.4)"), "\(outcome)")
      let lower = try end(words + ["--lr", try advice(outcome)], ranks: ranks)
      #expect(lower.code == 0 && lower.errors.isEmpty && lower.output.hasPrefix("loss: 0.0"), "\(lower)")
    }

    /// Small batches need a lower rate than all data do.
    @Test(arguments: ["1", "4", "128"]) func theAdviceHelpsWhereItEndsToo(_ batch: String) throws {
      let words = ["--data", try writeCorrelated(rows: 2000), "--global-batch", batch, "--epochs", "9"]
      let outcome = try end(words + ["--lr", "3"])
      #expect(outcome.code == 76 && outcome.errorLines.count == 1, "\(outcome)")
      let lower = try end(words + ["--lr", try advice(outcome)])
      #expect(lower.code == 0 && lower.errors.isEmpty && lower.output.hasPrefix("loss: 0."), "\(lower)")
    }
  }
}
