// Models for other programs: onnxruntime and PyTorch predict the same from raw columns.
import DataFormats
import Foundation
import NeuralNet
import Runs
import TestSupport
import Testing

/// The first of some Pythons that has the modules; aloud where there is none.
func python(_ variable: String, _ modules: String, _ what: String) -> String? {
  let own = ProcessInfo.processInfo.environment[variable]
  for candidate in [own, "python3"] {
    guard let candidate, !candidate.isEmpty else { continue }
    if (try? Child(candidate, ["-c", "import \(modules)"]).wait(limit: 120).code) == 0 { return candidate }
  }
  print("WARNING: NO TEST AGAINST \(what): set \(variable) to a python with \(modules)")
  return nil
}

private let onnxPython = python("DISTSGD_ONNX_PYTHON", "numpy, onnx, onnxruntime", "ONNXRUNTIME")
private let torchPython = python("DISTSGD_TORCH_PYTHON", "numpy, torch, safetensors", "PYTORCH")

extension JobTests {
  @Suite struct ExportTests {
    private let folder = TemporaryFolder()

    /// Exports a model, runs it elsewhere on `data`, and compares; one number that is off is noticed.
    private func check(
      _ model: String, _ data: String, columns: [String], predictions: String, _ options: [String] = []
    ) throws {
      let table = try folder.write(predictions, to: "predictions.csv")
      var lines = predictions.split(separator: "\n").map(String.init)
      lines[1] = lines[1].replacingOccurrences(of: ".", with: "9.")
      let tampered = try folder.write(lines.joined(separator: "\n") + "\n", to: "tampered.csv")
      if let onnxPython {
        let words = ["export", model, "--format", "onnx", "-o", folder("m.onnx")] + options
        let exported = try run(words)
        try #require(exported.code == 0, "\(exported)")
        let script = packageFolder + "/Tests/Reference/check_onnx.py"
        let outcome = try Child(onnxPython, [script, folder("m.onnx"), data, table]).wait(limit: 120)
        #expect(outcome.code == 0, "\(outcome)")
        print("onnxruntime: \(outcome.output.split(separator: "\n").joined(separator: "; "))")
        #expect(try Child(onnxPython, [script, folder("m.onnx"), data, tampered]).wait(limit: 120).code == 1)
      }
      if let torchPython, data.hasSuffix(".csv") {
        let exported = try run(["export", model, "--format", "pytorch", "-o", folder("m.py")])
        try #require(exported.code == 0, "\(exported)")
        let script = packageFolder + "/Tests/Reference/check_pytorch.py"
        let outcome = try Child(torchPython, [script, folder("m.py"), data, table] + columns).wait(limit: 120)
        #expect(outcome.code == 0, "\(outcome)")
        print("PyTorch: \(outcome.output)")
        let other = try Child(torchPython, [script, folder("m.py"), data, tampered] + columns).wait(
          limit: 120)
        #expect(other.code == 1, "\(other)")
      }
    }

    private func check(trainedOn data: String, columns: [String], _ arguments: [String]) throws {
      let model = folder("run/model.safetensors")
      let outcome = try run(["--data", data, "--quiet", "--output", folder("run")] + arguments)
      try #require(outcome.code == 0, "\(outcome)")
      let predicted = try run(["predict", "--model", model, "--data", data])
      try #require(predicted.code == 0, "\(predicted)")
      try check(model, data, columns: columns, predictions: predicted.output)
    }

    private static let enabled = onnxPython != nil || torchPython != nil

    @Test(
      .enabled(if: enabled, "no Python with onnxruntime or PyTorch"),
      arguments: [
        ["--model", "linear"], ["--model", "mlp:8,4", "--loss", "squared"],
        ["--model", "linear", "--no-standardize", "--lr", "1e-7"],
        [
          "--model", "dense:8 gelu residual(dense:6 tanh dense:8 sigmoid) dropout:0.2 dense:5 relu dense",
          "--loss", "huber:delta=2", "--lr", "0.05",
        ],
        [
          "--model",
          "batchnorm dense:8 batchnorm:epsilon=0.01 relu residual(layernorm dense:8) layernorm dense",
          "--lr", "0.05",
        ],
      ])
    func numbers(_ arguments: [String]) throws {
      try check(
        trainedOn: try folder.writeTable(), columns: ["width", "height, mm", "age"], arguments)
    }

    @Test(
      .enabled(if: enabled, "no Python with onnxruntime or PyTorch"),
      arguments: [["--model", "softmax"], ["--model", "mlp:8", "--loss", "cross-entropy"]])
    func classes(_ arguments: [String]) throws {
      let data = try folder.writeClassTable()
      let columns = try readFile(data).split(separator: "\n")[0].split(separator: ",").dropLast().map(
        String.init)
      try check(trainedOn: data, columns: columns, arguments + ["--global-batch", "20"])
    }

    /// Pixels are scaled within the graph.
    @Test(.enabled(if: onnxPython != nil, "no Python with onnxruntime")) func images() throws {
      let data = try folder.writeMadeImages(rows: 40, side: 6)
      let model = folder("run/model.safetensors")
      let outcome = try run([
        "--data", data, "--model", "mlp:8", "--global-batch", "10", "--quiet", "--output", folder("run"),
      ])
      try #require(outcome.code == 0, "\(outcome)")
      let pixels = String(data.split(separator: ",")[0])
      let predicted = try run(["predict", "--model", model, "--data", pixels])
      try #require(predicted.code == 0, "\(predicted)")
      try check(model, pixels, columns: [], predictions: predicted.output)
    }

    /// Columns of text, missing values, two classes with names by one output: from a model that was written by hand.
    @Test(.enabled(if: enabled, "no Python with onnxruntime or PyTorch"), arguments: [true, false])
    func columnsOfText(_ hasNames: Bool) throws {
      let preprocessing = Preprocessing(
        columns: [
          InputColumn(name: "age", encoding: .number(mean: 30, deviation: 12.5), missing: .number(28)),
          InputColumn(
            name: "class, cabin", encoding: .category(["1st", "2nd", "3rd"]), missing: .category("3rd")),
          InputColumn(name: "fare", encoding: .number(mean: 20, deviation: 8)),
          InputColumn(name: "alone", encoding: .category(["no", "yes"])),
        ], targets: [TargetColumn(name: "survived")], classNames: hasNames ? ["lost", "saved"] : nil)
      let weights: [Float] = [-0.5, 1.5, 0.25, -1, 0.75, 0.5, -0.25, -0.125]
      let model = try Sequential([Dense(1)], input: Shape(7))
      let path = folder("made.safetensors")
      try weights.withUnsafeBufferPointer {
        try ModelFile.write(
          to: path, specification: try ModelSpecification("dense"), model: model, loss: BinaryCrossEntropy(),
          preprocessing: preprocessing, provenance: [:], parameters: $0.baseAddress!)
      }
      let rows: [(text: String, inputs: [Double])] = [
        ("31,1st,8.25,no", [0.08, 1, 0, 0, -1.46875, 1, 0]),
        ("4,2nd,71.5,yes", [-2.08, 0, 1, 0, 6.4375, 0, 1]),
        (",3rd,20,yes", [-0.16, 0, 0, 1, 0, 0, 1]), ("30,,36,no", [0, 0, 0, 1, 2, 1, 0]),
        ("55,crew,12,never", [2, 0, 0, 0, -1, 0, 0]),
      ]
      let data = try folder.write(
        "age,\"class, cabin\",fare,alone\n" + rows.map { $0.text + "\n" }.joined(), to: "people.csv")
      let predictions = rows.map { row in
        let z = zip(row.inputs, weights).reduce(Double(weights[7])) { $0 + $1.0 * Double($1.1) }
        let p = 1 / (1 + exp(-z))
        let name = hasNames ? (p > 0.5 ? "saved" : "lost") : (p > 0.5 ? "1" : "0")
        return "\(name),\(1 - p),\(p)\n"
      }
      try check(
        path, data, columns: preprocessing.featureNames, predictions: "class,p0,p1\n" + predictions.joined())
    }

    @Test func errors() throws {
      let outcome = try run(["--quiet", "--output", folder("run")])
      try #require(outcome.code == 0, "\(outcome)")
      let model = folder("run/model.safetensors")
      for ranks in [1, 2] {
        for (words, code) in [
          ([folder("none.safetensors")], 66), ([model, "-o", folder("none/m.onnx")], 73),
          ([model, "--format", "pickle"], 64), ([], 64),
        ] as [([String], Int32)] {
          let outcome = try run(ranks: ranks, ["export"] + words, limit: 60)
          #expect(outcome.code == code && outcome.errorLines.count == 1, "\(words): \(outcome)")
        }
      }
      // Where nothing is said it lands beside the model.
      let exported = try run(["export", model])
      #expect(exported.code == 0 && FileManager.default.fileExists(atPath: folder("run/model.onnx")))
    }
  }
}
