// What evaluate and --validation tell: from the predictions that they write, and the same on any number of ranks.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct EvaluateTests {
    private let folder = TemporaryFolder()

    private func trained(_ arguments: [String]) throws -> String {
      let outcome = try run(arguments + ["--output", folder("run")])
      try #require(outcome.code == 0, "\(outcome)")
      return outcome.output
    }

    /// The object that it prints, the same on 1, 2 and 3 ranks, and the rows of `--predictions`.
    private func evaluate(_ data: String) throws -> (result: [String: Any], rows: [[String]]) {
      let words = [
        "evaluate", "--model", folder("run/model.safetensors"), "--data", data, "--json", "--predictions",
        folder("predictions.csv"),
      ]
      let outcomes = try [1, 2, 3].map { try run(ranks: $0, words) }
      for outcome in outcomes {
        #expect(outcome.code == 0 && outcome.output == outcomes[0].output, "\(outcome), not \(outcomes[0])")
      }
      let result = try JSONSerialization.jsonObject(with: Data(outcomes[0].output.utf8)) as? [String: Any]
      let rows = try readFile(folder("predictions.csv")).split(separator: "\n")
        .map { $0.split(separator: ",").map(String.init) }
      // Without the last column it is what predict prints.
      let predicted = try run(["predict"] + words[1...4])
      #expect(
        predicted.output == rows.map { $0.dropLast().joined(separator: ",") + "\n" }.joined(), "\(predicted)")
      return (try #require(result), rows)
    }

    private func number(_ result: [String: Any], _ name: String) -> Double {
      (result[name] as? NSNumber)?.doubleValue ?? .nan
    }

    @Test func numbers() throws {
      let data = try folder.writeTable()
      let output = try trained(["--data", data, "--validation", "0.25"])
      #expect(output.contains("\nvalidation: loss ") && output.contains(", RMSE "), "\(output)")
      let (result, rows) = try evaluate(data)
      #expect(rows[0] == ["price", "true_price"] && rows.count == 301)
      let pairs = rows.dropFirst().map { (Double($0[0])!, Double($0[1])!) }
      let errors = pairs.map { $0.0 - $0.1 }
      let mean = pairs.reduce(0) { $0 + $1.1 } / 300
      let square = errors.reduce(0) { $0 + $1 * $1 }
      let variance = pairs.reduce(0) { $0 + ($1.1 - mean) * ($1.1 - mean) }
      for (name, expected) in [
        ("rmse", (square / 300).squareRoot()), ("mae", errors.reduce(0) { $0 + abs($1) } / 300),
        ("r2", 1 - square / variance),
      ] {
        #expect(abs(number(result, name) - expected) < 1e-5 * abs(expected), "\(name) of \(result)")
      }
      #expect(result["lossUnits"] as? String == "standardised units")
      let text = try run(["evaluate", "--model", folder("run/model.safetensors"), "--data", data])
      #expect(
        text.output.hasPrefix("loss: ") && text.output.contains(" (½ MSE, standardised units), "), "\(text)")
      #expect(text.output.contains(" (in the units of 'price')"), "\(text)")
      // The events of the validation set have them, that of the end has the training's loss alone.
      let events = try readMetrics(folder("run/metrics.jsonl"))
      let told = events.filter { $0.name == "evaluation" }
      #expect(told.allSatisfy { $0.number("rmse") > 0 && $0.number("mae") > 0 && $0.number("r2") < 1 })
    }

    @Test(arguments: [[], ["--shards", "3"]]) func classes(_ arguments: [String]) throws {
      let data = try folder.writeClassTable()
      let output = try trained(
        [
          "--data", data, "--model", "softmax", "--epochs", "10", "--global-batch", "20", "--validation",
          data,
        ]
          + arguments)
      let (result, rows) = try evaluate(data)
      #expect(rows[0] == ["class", "p0", "p1", "p2", "true_class"] && rows.count == 241)
      var matrix = [[Int]](repeating: [0, 0, 0], count: 3)
      for row in rows.dropFirst() { matrix[Int(row[4])!][Int(row[0])!] += 1 }
      #expect(result["confusion"] as? [[Int]] == matrix, "\(result)")
      let right = matrix[0][0] + matrix[1][1] + matrix[2][2]
      #expect(number(result, "accuracy") == Double(right) / 240)
      #expect(number(result, "logLoss") == number(result, "loss") && result["auc"] == nil)
      let precision = try #require(result["precision"] as? [Double])
      let recall = try #require(result["recall"] as? [Double])
      for k in 0..<3 {
        #expect(abs(recall[k] - Double(matrix[k][k]) / Double(matrix[k].reduce(0, +))) < 1e-12)
        #expect(abs(precision[k] - Double(matrix[k][k]) / Double(matrix.reduce(0) { $0 + $1[k] })) < 1e-12)
      }
      // The validation set was the same file.
      let last = try #require(try readMetrics(folder("run/metrics.jsonl")).last { $0.name == "evaluation" })
      #expect(last.number("macroF1") == number(result, "macroF1"))
      #expect(output.contains(", macro F1 "), "\(output)")
      let text = try run(["evaluate", "--model", folder("run/model.safetensors"), "--data", data])
      #expect(text.output.contains("confusion matrix") && text.output.contains("precision"), "\(text)")
    }

    /// Predictions that cannot be written are an error, and leave no part of a file.
    @Test func errors() throws {
      let data = try folder.writeTable()
      _ = try trained(["--data", data])
      let words = ["evaluate", "--model", folder("run/model.safetensors"), "--data", data, "--predictions"]
      for ranks in [1, 2] {
        let outcome = try run(ranks: ranks, words + [folder("none/predictions.csv")])
        #expect(outcome.code == 73 && outcome.errorLines.count == 1, "\(outcome)")
      }
    }
  }
}
