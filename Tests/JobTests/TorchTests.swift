// A saved model in PyTorch: load_state_dict takes the file as it is, and predicts the same.
import DataFormats
import Foundation
import MPI
import TestSupport
import Testing

/// A Python with torch, numpy and safetensors, from $DISTSGD_TORCH_PYTHON.
private let torchPython: String? = {
  guard let python = ProcessInfo.processInfo.environment["DISTSGD_TORCH_PYTHON"], !python.isEmpty else {
    print(
      "WARNING: NO TEST AGAINST PYTORCH: set DISTSGD_TORCH_PYTHON to a python with torch, numpy and safetensors"
    )
    return nil
  }
  return python
}()

extension JobTests {
  @Suite(.enabled(if: torchPython != nil, "no $DISTSGD_TORCH_PYTHON")) struct TorchTests {
    private let folder = TemporaryFolder()

    /// Trains on `data`, predicts `inputs`, and lets check_model.py compare.
    private func check(_ data: String, inputs: String, _ arguments: String) throws {
      let words = arguments.split(separator: " ").map(String.init)
      let training = try run(ranks: 3, ["--data", data, "--quiet", "--output", folder("run")] + words)
      try #require(training.code == 0, "\(training)")
      let model = folder("run/model.safetensors")
      let predictions = try run(["predict", "--model", model, "--data", inputs])
      try #require(predictions.code == 0, "\(predictions)")
      let csv = try folder.write(predictions.output, to: "predictions.csv")
      let script = packageFolder + "/Tests/Reference/check_model.py"
      let python = try #require(torchPython)
      let outcome = try Child(python, [script, model, csv, inputs, "1e-5"]).wait(limit: 120)
      #expect(outcome.code == 0, "\(outcome)")
      print("PyTorch, \(arguments): \(outcome.output.split(separator: "\n").joined(separator: "; "))")
      // The comparison can fail: one prediction that is off by a thousandth.
      var lines = predictions.output.split(separator: "\n").map(String.init)
      let fields = lines[1].split(separator: ",").map(String.init)
      let largest = lines.dropFirst().compactMap {
        $0.split(separator: ",").compactMap { Double($0).map(abs) }.max()
      }.max()!
      lines[1] = (fields.dropLast() + ["\((Double(fields.last!) ?? 0) + 0.001 * largest)"]).joined(
        separator: ",")
      let tampered = try folder.write(lines.joined(separator: "\n") + "\n", to: "tampered.csv")
      #expect(try Child(python, [script, model, tampered, inputs, "1e-5"]).wait(limit: 120).code == 1)
    }

    @Test(arguments: [
      "--model linear", "--model mlp:16,8 --loss squared",
      "--model mlp:16 --activation sigmoid --loss squared",
      "--model linear --no-standardize --lr 1e-7",
    ]) func regression(_ arguments: String) throws {
      let data = try folder.writeTable()
      try check(data, inputs: data, arguments)
    }

    @Test(arguments: ["--model softmax", "--model mlp:16 --activation tanh --loss cross-entropy"])
    func classification(_ arguments: String) throws {
      let data = try folder.writeClassTable()
      try check(data, inputs: data, arguments + " --global-batch 20")
    }

    @Test func arrays() throws {
      try check(
        try folder.writeClasses(), inputs: folder("inputs.npy"), "--model mlp:64,32 --global-batch 50")
    }

    /// Real images, where they are installed.
    @Test(
      .enabled(
        if: FileManager.default.fileExists(
          atPath: "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"),
        "dataset-fashion-mnist is not installed"),
      arguments: ["--model softmax", "--model mlp:64,32"])
    func fashion(_ model: String) throws {
      try check(
        "fashion-mnist", inputs: "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz",
        "\(model) --examples 3000 --epochs 1")
    }
  }
}
