// From a table to a model and back: predictions on raw data, and their loss, are what the training said.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct PredictTests {
    private let folder = TemporaryFolder()

    private func trained(_ arguments: [String]) throws -> (model: String, end: Event) {
      let outcome = try run(arguments + ["--quiet", "--output", folder("run")])
      try #require(outcome.code == 0, "\(outcome)")
      return (
        folder("run/model.safetensors"), try #require(try readMetrics(folder("run/metrics.jsonl")).last)
      )
    }

    private func evaluate(_ model: String, _ data: String, ranks: Int) throws -> [String: Double] {
      let outcome = try run(ranks: ranks, ["evaluate", "--json", "--model", model, "--data", data])
      try #require(outcome.code == 0, "\(outcome)")
      return try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
      ).compactMapValues { ($0 as? NSNumber)?.doubleValue }
    }

    private func predict(_ model: String, _ data: String, ranks: Int) throws -> (
      header: Substring, rows: [[Double]]
    ) {
      let outcome = try run(ranks: ranks, ["predict", "--model", model, "--data", data])
      try #require(outcome.code == 0 && outcome.errors == "", "\(outcome)")
      let lines = outcome.output.split(separator: "\n")
      return (lines[0], lines.dropFirst().map { $0.split(separator: ",").map { Double($0) ?? .nan } })
    }

    @Test(arguments: [
      ["--model", "linear"], ["--model", "mlp:8", "--activation", "tanh", "--loss", "squared"],
    ])
    func regression(_ model: [String]) throws {
      let data = try folder.writeTable()
      let (file, end) = try trained(["--data", data, "--epochs", "20", "--global-batch", "32"] + model)
      let loss = end.number("loss")
      #expect(loss < 0.1, "the data are nearly linear")
      for ranks in [1, 3] {
        let result = try evaluate(file, data, ranks: ranks)
        #expect(result["loss"] == loss && result["examples"] == 300)
        // Predictions are in the target's own units: in the training's units they have the training's loss.
        let (header, rows) = try predict(file, data, ranks: ranks)
        #expect(header == "price")
        try #require(rows.count == 300)
        let prices = try readFile(data).split(separator: "\n").dropFirst().map {
          Double($0.split(separator: ",").last!)!
        }
        let mean = prices.reduce(0, +) / 300
        let variance = prices.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 300
        let errors = zip(rows, prices).reduce(0) { $0 + ($1.0[0] - $1.1) * ($1.0[0] - $1.1) / 2 }
        // The standard deviation is that of the rows or of a population they are drawn from.
        #expect(abs(errors / 300 / variance - loss) < 0.005 * loss)
      }
    }

    /// Columns are found by name: in another order, without the target, and among others.
    @Test func columnsAreFoundByName() throws {
      let data = try folder.writeTable()
      let (file, _) = try trained(["--data", data])
      let expected = try predict(file, data, ranks: 1)
      let rows = try readFile(data).split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
      let shuffled = try folder.write(
        "age,note,\"height, mm\",width\n" + rows.map { "\($0[2]),7,\($0[1]),\($0[0])\n" }.joined(),
        to: "new.csv")
      let new = try predict(file, shuffled, ranks: 1)
      #expect(new.rows == expected.rows && new.rows.count == 300)
      let without = try folder.write("age,width\n1,2\n", to: "without.csv")
      let outcome = try run(["predict", "--model", file, "--data", without])
      #expect(
        outcome.code == 65 && outcome.errorLines.count == 1 && outcome.errors.contains("height, mm"),
        "\(outcome)")
      let evaluated = try run(["evaluate", "--model", file, "--data", shuffled])
      #expect(
        evaluated.code == 65 && evaluated.errorLines.count == 1, "no target to compare with: \(evaluated)")
    }

    @Test(arguments: ["softmax", "mlp:8"]) func classification(_ model: String) throws {
      let data = try folder.writeClassTable()
      let (file, end) = try trained(
        [
          "--data", data, "--model", model, "--loss", "cross-entropy", "--epochs", "10", "--global-batch",
          "20",
        ])
      let result = try evaluate(file, data, ranks: 1)
      #expect(result["loss"] == end.number("loss") && result["accuracy"] == end.number("accuracy"))
      #expect(try evaluate(file, data, ranks: 4) == result)
      let (header, rows) = try predict(file, data, ranks: 1)
      #expect(header == "class,p0,p1,p2")
      try #require(rows.count == 240)
      var loss = 0.0
      var correct = 0
      for (index, row) in rows.enumerated() {
        let p = row[1...]
        #expect(abs(p.reduce(0, +) - 1) < 1e-5)
        #expect(row[Int(row[0]) + 1] == p.max())
        loss -= log(row[1 + index % 3]) / 240
        if Int(row[0]) == index % 3 { correct += 1 }
      }
      #expect(abs(loss - end.number("loss")) < 1e-5)
      #expect(Double(correct) / 240 == end.number("accuracy"))
      #expect(correct > 130, "three classes that can be told apart")
    }

    @Test func errors() throws {
      let (file, _) = try trained([])
      let table = try folder.write("1,2\n", to: "narrow.csv")
      for ranks in [1, 4] {
        for (arguments, code) in [
          (["predict", "--model", folder("none.safetensors"), "--data", table], 66),
          (["predict", "--model", table, "--data", table], 65),
          (["predict", "--model", file, "--data", table], 65),
          (["evaluate", "--model", file, "--data", folder("none.csv")], 66),
          (["predict", "--data", table], 64),
        ] as [([String], Int32)] {
          let outcome = try run(ranks: ranks, arguments, limit: 30)
          #expect(outcome.code == code && outcome.errorLines.count == 1, "\(arguments): \(outcome)")
        }
      }
    }
  }
}
