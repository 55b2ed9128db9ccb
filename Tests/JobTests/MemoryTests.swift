// What the ranks of a server take together: data once, parameters once, and little for each rank.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct MemoryTests {
    private let folder = TemporaryFolder()

    /// 60 MB of data on 8 ranks, whatever the machine has installed.
    @Test func eightRanksHoldTheDataOnce() throws {
      let (rows, columns) = (150_000, 100)
      let outcome = try run(
        ranks: 8,
        [
          "--data", "synthetic:\(rows),\(columns)", "--model", "mlp:256,128", "--steps", "20", "--quiet",
          "--output",
          folder("run"),
        ])
      try #require(outcome.code == 0, "\(outcome)")
      let end = try #require(try readMetrics(folder("run/metrics.jsonl")).last)
      let data = 4.0 * Double(rows * (columns + 1))
      let parameters = 4.0 * Double((100 + 1) * 256 + (256 + 1) * 128 + 129)
      let memory = end.number("memoryBytes")
      #expect(memory > data, "at least the data are there")
      #expect(memory < data + 2 * parameters + 8 * 25 * 1_048_576, "\(memory) bytes")
    }

    /// Adam's two numbers for each parameter are there once for all ranks of a server.
    @Test func eightRanksHoldTheOptimizersStateOnce() throws {
      let memory = try ["sgd", "adam"].map { optimizer in
        let outcome = try run(
          ranks: 8,
          [
            "--data", "synthetic:64,1000", "--model", "mlp:1500,1000", "--global-batch", "8", "--shards", "8",
            "--steps", "2", "--optimizer", optimizer, "--lr", "0.0001", "--quiet", "--output",
            folder(optimizer),
          ])
        try #require(outcome.code == 0, "\(outcome)")
        return try #require(try readMetrics(folder("\(optimizer)/metrics.jsonl")).last).number("memoryBytes")
      }
      let state = 2.0 * 4 * Double(1_001 * 1_500 + 1_501 * 1_000 + 1_001)
      let more = memory[1] - memory[0]
      print("adam's state on 8 ranks: \(more) bytes more than sgd, 2 × 4 × n is \(state)")
      // Pages of the programs themselves come and go: a megabyte a rank.
      #expect(more > 0.8 * state && more < state + 8 * 1_048_576, "\(more) bytes for \(state)")
    }
  }
}
