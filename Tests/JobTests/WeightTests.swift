// Examples that count more than others, and several targets at once: against data that say the same otherwise.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct WeightTests {
    private let folder = TemporaryFolder()
    private static let rows: [(x: [Double], weight: Int, y: Double, z: Double)] = (0..<60).map { row in
      let x = [sin(1.7 * Double(row)), cos(2.3 * Double(row)), sin(0.9 * Double(row))]
      let noise = sin(37.1 * Double(row))
      return (x, row * 7 % 4, 3 * x[0] - x[1] + 7 + noise, 0.01 * (x[2] - x[0] + noise))
    }

    private func write(_ header: String, _ rows: [[Any]]) throws -> String {
      let text = rows.map { $0.map { "\($0)" }.joined(separator: ",") + "\n" }.joined()
      return try folder.write(
        header + "\n" + text, to: header.replacingOccurrences(of: ",", with: "-") + ".csv")
    }

    private func end(_ arguments: [String], ranks: Int = 1) throws -> Event {
      let outcome = try run(ranks: ranks, arguments + ["--quiet", "--output", folder("run")])
      try #require(outcome.code == 0, "\(outcome)")
      let end = try #require(try readMetrics(folder("run/metrics.jsonl")).last)
      try FileManager.default.moveItem(
        atPath: folder("run"), toPath: folder("run-\(UInt64.random(in: 0...UInt64.max))"))
      return end
    }

    /// Whole weights are as many copies, with the same loss and gradient; on any number of ranks.
    @Test(arguments: ["linear", "mlp:6"]) func copies(_ model: String) throws {
      let weighted = try write("a,b,c,w,y", Self.rows.map { $0.x + [$0.weight, $0.y] as [Any] })
      let copies = Self.rows.flatMap { row in [[Any]](repeating: row.x + [row.y], count: row.weight) }
      let copied = try write("a,b,c,y", copies)
      let common = [
        "--no-standardize", "--model", model, "--lr", "0.1", "--epochs", "20", "--loss", "squared",
      ]
      let words = ["--data", weighted, "--weight", "w", "--global-batch", "60", "--shards", "8"] + common
      let one = try end(words)
      let other = try end(["--data", copied, "--global-batch", "\(copies.count)"] + common)
      #expect(abs(one.number("loss") - other.number("loss")) < 1e-5 * other.number("loss"))
      let plain = try end(["--data", weighted, "--exclude", "w", "--global-batch", "60"] + common)
      #expect(abs(one.number("loss") - plain.number("loss")) > 1e-3, "weights matter")
      for ranks in [2, 3, 5] {
        let many = try end(words, ranks: ranks)
        #expect(
          many.text("parameterHash") == one.text("parameterHash") && many.number("loss") == one.number("loss")
        )
      }
    }

    /// Short batches, batches without weight, micro-batches: the same bits on any number of ranks.
    @Test(arguments: [[], ["--micro-batch", "2"], ["--arithmetic", "portable"]]) func ranks(_ words: [String])
      throws
    {
      let data = try write("a,b,c,w,y", Self.rows.map { $0.x + [$0.weight < 3 ? 0 : 1.5, $0.y] as [Any] })
      let words =
        ["--data", data, "--weight", "w", "--global-batch", "7", "--shards", "5", "--epochs", "2"] + words
      let one = try end(words)
      #expect(one.number("loss").isFinite)
      for ranks in [2, 3] {
        #expect(try end(words, ranks: ranks).text("parameterHash") == one.text("parameterHash"))
      }
    }

    /// Every measure of weighted rows is that of as many copies, of whole weights; the same JSON on any number of ranks.
    @Test(arguments: ["classes", "numbers"]) func measures(_ task: String) throws {
      func target(_ row: Int) -> Any {
        task == "classes" ? ["no", "yes"][row * 5 % 7 % 2] : Self.rows[row].y
      }
      let weighted = try write(
        "a,b,c,w,y", Self.rows.enumerated().map { $1.x + [$1.weight, target($0)] as [Any] })
      let fractions = try write(
        "a,b,c,w,y,more",
        Self.rows.enumerated().map { $1.x + [0.3 * Double($1.weight), target($0), 0] as [Any] })
      let copied = try write(
        "a,b,c,y",
        Self.rows.enumerated().flatMap { row, value in
          [[Any]](repeating: value.x + [target(row)], count: value.weight)
        })
      _ = try end(["--data", copied, "--epochs", "3"])
      let model = folder(
        try #require(
          FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasPrefix("run-") })
          + "/model.safetensors")
      func measures(_ data: String, _ words: [String], ranks: Int = 1) throws -> [String: Any] {
        let outcome = try run(ranks: ranks, ["evaluate", "--model", model, "--data", data, "--json"] + words)
        try #require(outcome.code == 0, "\(outcome)")
        return try #require(
          try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      }
      let copies = try measures(copied, [])
      for (data, factor) in [(weighted, 1.0), (fractions, 0.3)] {
        let one = try measures(data, ["--weight", "w"])
        #expect(Set(one.keys) == Set(copies.keys))
        for (name, value) in copies where name != "examples" {
          func numbers(_ value: Any) -> [Double] {
            (value as? [Any])?.flatMap(numbers) ?? [(value as? Double) ?? 0]
          }
          let isCount = ["support", "confusion"].contains(name)
          for (a, b) in zip(numbers(one[name]!), numbers(value)) {
            #expect(abs(a - b * (isCount ? factor : 1)) <= 1e-6 * max(1, abs(b)), "\(name)")
          }
        }
        for ranks in [2, 3] {
          #expect(
            NSDictionary(dictionary: try measures(data, ["--weight", "w"], ranks: ranks))
              == NSDictionary(dictionary: one))
        }
      }
    }

    /// Where all weights are 1 there are none.
    @Test func ones() throws {
      let data = try write("a,b,c,w,y", Self.rows.map { $0.x + [1, $0.y] as [Any] })
      let words = ["--data", data, "--global-batch", "10"]
      let weighted = try end(words + ["--weight", "w"])
      let plain = try end(words + ["--exclude", "w"])
      #expect(weighted.text("parameterHash") == plain.text("parameterHash"))
    }

    @Test func weightsThatAreNone() throws {
      for (weights, word) in [([1.0, -1.0], "-1"), ([0, 0], "0")] {
        let data = try write(
          "a,b,c,w,y", Self.rows.enumerated().map { $1.x + [weights[$0 % 2], $1.y] as [Any] })
        for ranks in [1, 2] {
          let outcome = try run(
            ranks: ranks,
            ["--data", data, "--weight", "w", "--global-batch", "10", "--output", folder("none")])
          #expect(
            outcome.code == 65 && outcome.errorLines.count == 1 && outcome.errors.contains(word), "\(outcome)"
          )
        }
      }
    }

    /// Two linear models at once are two linear models; the loss is the sum of theirs.
    @Test(arguments: ["squared", "huber:delta=0.5"]) func severalTargets(_ loss: String) throws {
      let data = try write("a,b,c,y,z", Self.rows.map { $0.x + [$0.y, $0.z] as [Any] })
      let words = [
        "--data", data, "--model", "linear", "--loss", loss, "--lr", "0.1", "--epochs", "60",
        "--global-batch",
        "17",
        "--shards", "4",
      ]
      let both = try end(words + ["--target", "y,z"])
      let (y, z) = (
        try end(words + ["--target", "y", "--exclude", "z"]),
        try end(words + ["--target", "z", "--exclude", "y"])
      )
      let sum = y.number("loss") + z.number("loss")
      #expect(abs(both.number("loss") - sum) < 1e-3 * sum, "\(both.number("loss")), not \(sum)")
      #expect(
        try end(words + ["--target", "y,z"], ranks: 3).text("parameterHash") == both.text("parameterHash"))
    }
  }
}
