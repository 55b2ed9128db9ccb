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
  }
}
