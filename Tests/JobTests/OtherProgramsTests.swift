// Who comes from another program: its names of options, its percentages, its files of weights.
import DataFormats
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct OtherProgramsTests {
    private let folder = TemporaryFolder()

    @Test(arguments: [
      ("--batch-size 32", "--global-batch"), ("--batch_size=32", "--global-batch"),
      ("--num-epochs 3", "--epochs"),
      ("--betas 0.9", "--optimizer adam:beta1"), ("--max-grad-norm 1", "--clip-norm"),
      ("--warmup-steps 100", "--warmup"), ("--wd 0.1", "--weight-decay"), ("--np 4", "mpirun -np"),
      ("--optim adam", "--optimizer"),
      ("--hidden-layer-sizes 8", "--model mlp"), ("--sample-weight w", "--weight"), ("--device cpu", "CPUs"),
      ("--learning_rate 0.1", "--learning-rate"), ("--random-state 3", "--seed"),
      ("--val-split 0.2", "--validation"),
    ]) func namesOfOptions(_ words: String, _ hint: String) throws {
      for ranks in [1, 2] {
        let outcome = try run(ranks: ranks, words.split(separator: " ").map(String.init), limit: 60)
        #expect(
          outcome.code == 64 && outcome.errorLines.count == 1 && outcome.errors.contains(hint), "\(outcome)")
      }
    }

    @Test func aFileWithoutItsOption() throws {
      let data = try folder.writeTable()
      let outcome = try run([data])
      #expect(
        outcome.code == 64 && outcome.errorLines.count == 1 && outcome.errors.contains("--data"), "\(outcome)"
      )
    }

    @Test func percentages() throws {
      let data = try folder.writeTable()
      let hashes = try ["20%", "0.2"].map { fraction in
        let words = [
          "--data", data, "--validation", fraction, "--quiet", "--output", folder("run\(fraction)"),
        ]
        let outcome = try run(words)
        #expect(outcome.code == 0, "\(outcome)")
        return try readMetrics(folder("run\(fraction)/metrics.jsonl")).last?.text("parameterHash")
      }
      #expect(hashes[0] != nil && hashes[0] == hashes[1])
      let outcome = try run(["--data", data, "--validation", "120%"])
      #expect(outcome.code == 64 && outcome.errors.contains("20%"), "\(outcome)")
    }

    /// Weights under `module.…` are taken as those without; where none fits, what is there is told.
    @Test func weightsOfOtherPrograms() throws {
      func weights(_ names: [String]) throws -> String {
        let values: [[Float]] = [[0.5, -0.25, 1, 2, -1], [0.125]]
        let path = folder(names[0])
        try values[0].withUnsafeBufferPointer { weight in
          try values[1].withUnsafeBufferPointer { bias in
            try SafeTensors.write(
              [
                SafeTensors.View(name: names[0], shape: [1, 5], values: weight),
                SafeTensors.View(name: names[1], shape: [1], values: bias),
              ], metadata: [:], to: path)
          }
        }
        return path
      }
      let hashes = try [["0.weight", "0.bias"], ["module.0.weight", "module.0.bias"]].map { names in
        let outcome = try run(
          ["--initialize", weights(names), "--quiet", "--output", folder("run-\(names[0])")])
        #expect(outcome.code == 0, "\(outcome)")
        return try readMetrics(folder("run-\(names[0])/metrics.jsonl")).last?.text("parameterHash")
      }
      #expect(hashes[0] != nil && hashes[0] == hashes[1])
      let outcome = try run(["--initialize", weights(["fc.weight", "fc.bias"]), "--output", folder("none")])
      #expect(
        outcome.code == 65 && outcome.errorLines.count == 1 && outcome.errors.contains("fc.weight [1, 5]"),
        "\(outcome)")
    }

    /// Where nobody has scaled the inputs, that is what is told first.
    @Test func unscaledInputs() throws {
      let x = (0..<300).map { 1_000 * Float(sin(1.7 * Double($0))) }
      let y = (0..<100).map { x[3 * $0] }
      let data =
        try folder.write(npy("<f4", [100, 3], littleEndian(x)), to: "x.npy") + ","
        + folder.write(npy("<f4", [100], littleEndian(y)), to: "y.npy")
      let words = ["--data", data, "--model", "linear", "--epochs", "20", "--global-batch", "10", "--output"]
      let outcome = try run(words + [folder("run")])
      #expect(outcome.code == 76 && outcome.errors.contains("--standardize"), "\(outcome)")
      #expect(try run(words + [folder("scaled"), "--standardize"]).code == 0)
    }
  }
}
