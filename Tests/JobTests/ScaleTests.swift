// Very many shards, and more ranks than a table has rows: the same bits, and memory that does not grow with them.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct ScaleTests {
    private let folder = TemporaryFolder()

    /// The hash of the parameters, and the most memory of any rank.
    private func end(_ words: [String], ranks: Int, _ name: String) throws -> (hash: String, peak: Double) {
      let outcome = try run(ranks: ranks, words + ["--quiet", "--output", folder(name)])
      try #require(outcome.code == 0, "\(outcome)")
      let end = try #require(try readMetrics(folder(name + "/metrics.jsonl")).last)
      return (end.text("parameterHash"), try #require(try peaks(name).max()))
    }

    /// Of every epoch and rank.
    private func peaks(_ name: String) throws -> [Double] {
      let rows = try readFile(folder(name + "/ranks.csv")).split(separator: "\n").map {
        $0.split(separator: ",")
      }
      let column = try #require(rows[0].firstIndex(of: "peak_rss_bytes"))
      return rows.dropFirst().compactMap { Double($0[column]) }
    }

    /// A hundred thousand shards of one example each, and most of them empty in batches of 128.
    @Test(arguments: [100_000, 128]) func aHundredThousandShards(_ batch: Int) throws {
      let words = [
        "--data", "synthetic:100000,4", "--model", "mlp:8", "--lr", "0.01", "--global-batch", "\(batch)",
        "--steps", "3",
      ]
      let ends = try [1, 2, 3, 4, 8].map {
        try end(words + ["--shards", "100000"], ranks: $0, "v-\(batch)-\($0)")
      }
      #expect(Set(ends.map(\.hash)).count == 1)
      // A rank keeps one sum for each level of its tree, and no shard's gradient.
      let few = try end(words + ["--shards", "8"], ranks: 1, "v-few-\(batch)")
      #expect(few.peak > 1e6 && ends[0].peak < few.peak + 64e6)
    }

    /// More than sixteen ranks: memory is told in a line, and every rank's in ranks.csv.
    @Test func memoryOfManyRanks() throws {
      let outcome = try run(ranks: 17, ["--global-batch", "128", "--output", folder("run")])
      try #require(outcome.code == 0, "\(outcome)")
      let line = try #require(outcome.output.split(separator: "\n").first { $0.hasPrefix("memory: ") })
      #expect(line.contains("in all ranks") && line.contains("resident"), "\(line)")
      let peaks = try peaks("run")
      let end = try #require(try readMetrics(folder("run/metrics.jsonl")).last)
      #expect(peaks.count == 34 && peaks.allSatisfy { $0 > 1e6 })
      // What they share is counted once in this: less than the sum of the peaks.
      #expect(end.number("memoryBytes") < peaks.suffix(17).reduce(0, +))
    }
  }
}
