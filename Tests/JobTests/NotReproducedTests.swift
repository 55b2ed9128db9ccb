// Models that are not made again: a line says where the two part, be it data, metadata, the computer or the result.
import DataFormats
import Foundation
import Runs
import TestSupport
import Testing

extension JobTests {
  @Suite struct NotReproducedTests: ReproducingSuite {
    let folder = TemporaryFolder()

    // MARK: Other data

    @Test(arguments: [1, 3]) func oneByteOfATable(_ ranks: Int) throws {
      let data = try folder.writeTable()
      let model = try train(["--data", data, "--shards", "3"], ranks: 2)
      var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: data)))
      let place = try #require(bytes.indices.last { 0x30..<0x39 ~= bytes[$0] })
      bytes[place] += 1
      try folder.write(bytes, to: "prices.csv")
      expect(try reproduce(model, ranks: ranks), 65, ["prices.csv", "the targets"])
      // One that makes it unreadable is told as ever.
      bytes[place] = UInt8(ascii: "x")
      try folder.write(bytes, to: "prices.csv")
      expect(try reproduce(model), 65, ["prices.csv", "row 301"])
    }

    @Test(arguments: ["inputs", "targets"]) func oneByteOfAPair(_ file: String) throws {
      let model = try train(["--data", try folder.writeClasses()])
      var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder(file + ".npy"))))
      bytes[bytes.count - 9] ^= 1
      try folder.write(bytes, to: file + ".npy")
      expect(try reproduce(model, ranks: 1), 65, ["\(file) in '\(folder(file + ".npy"))'"])
    }

    // MARK: Other metadata

    /// Every entry of a model that has all there are, in turn.
    @Test func everyEntry() throws {
      let first = try train(
        ["--model", "mlp:4", "--steps", "3", "--target", "6", "--features", "1,2,3"], to: "first")
      let model = try train([
        "--model", "mlp:4", "--initialize", first, "--steps", "5", "--target", "6", "--validation", "0.1",
        "--lr", "0.1", "--micro-batch", "5", "--standardize", "--epochs", "3", "--examples", "900",
        "--log-hashes", "--checkpoint-every", "3", "--evaluate-every", "100", "--features", "1,2,3",
        "--loss", "squared",
      ])
      let entries = try #require(SafeTensors.metadata(of: model))
      #expect(entries.count > 45)
      for (key, value) in entries {
        for edit in [nil, value + "1"] {
          let edited = try rewritten(model) { $0[key] = edit }
          expect(try reproduce(edited), 65, ["'\(key)'", "edited.safetensors"])
        }
        if key == "digests" { continue }
        // Where the digests were forged too, what makes no sense still has its end.
        let forged = try rewritten(model, isForged: true) { $0[key] = "x" }
        let outcome = try reproduce(forged)
        let harmless = ["format", "targetName", "model", "activation"]
        #expect(
          [64, 65, 66, 70].contains(outcome.code) && outcome.errorLines.count == 1
            || outcome.code == 0 && harmless.contains(key), "\(key): \(outcome)")
      }
      let added = try rewritten(model) { $0["--output"] = "somewhere" }
      expect(try reproduce(added), 65, ["'--output' was added"])
      #expect(try reproduce(model).code == 0, "the model itself is as it was")
    }

    /// What stands in the file is no command line: only a run's settings are taken.
    @Test(arguments: ["--output", "--resume", "--inject", "--help", "--quiet", "--nonsense", "--bind", "-h"])
    func noOtherFlags(_ flag: String) throws {
      let model = try train(["--steps", "3"])
      let forged = try rewritten(model, isForged: true) { $0[flag] = "x" }
      if flag == "-h" {
        #expect(try reproduce(forged).code == 0, "it is no flag")
      } else {
        expect(try reproduce(forged), 65, ["'\(flag)'"])
      }
      #expect(!FileManager.default.fileExists(atPath: folder("x")))
    }

    @Test(arguments: [
      ("producer", "distsgd 0.0.9", 64, "use distsgd 0.0.9"),
      ("arithmeticVersion", "99", 64, "use the distsgd that made it"),
      ("changes", "data", 65, "no run makes it again"), ("--shards", "2", 64, "at most 2"),
      ("--seed", "1", 70, "not reproduced"), ("--learning-rate", "0.25", 70, "not reproduced"),
      ("parameterHash", "0123456789abcdef", 65, "0123456789abcdef"),
      ("inputsFingerprint", "0123456789abcdef", 65, "airfoil-like"),
    ])
    func forged(_ key: String, _ value: String, _ code: Int32, _ words: String) throws {
      let model = try train(["--steps", "8", "--shards", "3", "--arithmetic", "portable"])
      let forged = try rewritten(model, isForged: true) { $0[key] = value }
      expect(try reproduce(forged, ranks: 3), code, [words, "edited.safetensors"])
    }

    /// Parameters that are not those of the run; files that were cut; files of earlier versions, which predict.
    @Test func damaged() throws {
      let model = try train(["--steps", "3"])
      var file = try SafeTensors.read(from: model)
      file.tensors[0].values[0] += 1
      try file.write(to: folder("other.safetensors"))
      expect(try reproduce(folder("other.safetensors")), 65, ["its parameters have the hash"])
      let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: model)))
      for count in [0, 7, 8, 100, bytes.count / 2, bytes.count - 1] {
        let cut = try folder.write(Array(bytes.prefix(count)), to: "cut.safetensors")
        expect(try reproduce(cut), 65, ["cut.safetensors"])
      }
      let kept = [
        "format", "producer", "model", "loss", "inputs", "outputs", "featureNames", "featureMeans",
        "featureDeviations", "targetName", "targetMean", "targetDeviation",
      ]
      let old = try rewritten(model) { words in words = words.filter { kept.contains($0.key) } }
      expect(try reproduce(old), 65, ["no metadata entry 'digests'"])
      let evaluated = try ["edited", "run/model"].map {
        try run(["evaluate", "--model", folder($0 + ".safetensors"), "--data", "airfoil-like"])
      }
      #expect(evaluated[0].code == 0 && evaluated[0].output == evaluated[1].output, "\(evaluated)")
      expect(try reproduce(folder.path), 66, ["model.safetensors"])
      expect(try reproduce(folder("none")), 66, ["none"])
    }

    // MARK: Other computers

    #if arch(x86_64)
      /// Every x86-64 processor runs these two.
      @Test func anotherKernel() throws {
        let blas = try train(
          ["--model", "mlp:8", "--steps", "10"], ranks: 2, environment: ["OPENBLAS_CORETYPE": "Nehalem"])
        let other: [String: String?] = ["OPENBLAS_CORETYPE": "Prescott"]
        expect(
          try reproduce(blas, ranks: 2, environment: other), 64,
          ["Nehalem", "Prescott", "OPENBLAS_CORETYPE=Nehalem", "--arithmetic portable"])
        #expect(try reproduce(blas, environment: ["OPENBLAS_CORETYPE": "Nehalem"]).code == 0)
        let portable = try train(
          ["--model", "mlp:8", "--steps", "10", "--arithmetic", "portable"], ranks: 2, to: "portable",
          environment: ["OPENBLAS_CORETYPE": "Nehalem"])
        for instructions in ["scalar", nil] {
          let outcome = try reproduce(
            portable, ranks: 2, environment: other.merging(["DISTSGD_INSTRUCTIONS": instructions]) { $1 })
          #expect(outcome.code == 0, "\(outcome)")
        }
      }

      /// What was accepted on the way is told: ranks that differ, another kernel, other data.
      @Test func whatWasAccepted() throws {
        let parts = ["Nehalem", "Prescott"].map { kernel in
          [
            "-np", "1", "env", "OPENBLAS_CORETYPE=\(kernel)", distsgd, "--quiet", "--output",
            folder("mixed"), "--accept-other-kernel", "--steps", "3",
          ]
        }
        let mixed = try Child("mpirun", Array(parts.joined(separator: [":"])), environment: mpiEnvironment)
          .wait(limit: 60)
        try #require(mixed.code == 0, "\(mixed)")
        expect(try reproduce(folder("mixed")), 65, ["'ranks'"])

        let data = try folder.writeTable()
        let model = try train(
          ["--data", data, "--steps", "6", "--checkpoint-every", "2"],
          environment: ["OPENBLAS_CORETYPE": "Nehalem"])
        // The same data and the same kernel are no change, whatever would be accepted.
        func resume(_ steps: Int, _ kernel: String) throws {
          let outcome = try run(
            [
              "--resume", folder("run"), "--steps", "\(steps)", "--accept-other-kernel",
              "--accept-other-data",
            ],
            environment: ["OPENBLAS_CORETYPE": kernel])
          try #require(outcome.code == 0, "\(outcome)")
        }
        try resume(8, "Nehalem")
        #expect(try reproduce(model, environment: ["OPENBLAS_CORETYPE": "Nehalem"]).code == 0)
        try resume(10, "Prescott")
        expect(try reproduce(model, environment: ["OPENBLAS_CORETYPE": "Prescott"]), 65, ["blasKernel"])
        try folder.write(try readFile(data) + "5,1000,0,100\n", to: "prices.csv")
        try resume(12, "Nehalem")
        expect(try reproduce(model, environment: ["OPENBLAS_CORETYPE": "Nehalem"]), 65, ["blasKernel,data"])
      }
    #endif

    /// The first step whose hash is another, of those that were written down.
    @Test func theFirstStepThatDiffers() throws {
      _ = try train(["--steps", "40", "--log-hashes", "--log-every", "4", "--shards", "3"])
      let metrics = folder("run/metrics.jsonl")
      let lines = try readFile(metrics).split(separator: "\n").map { line in
        line.contains(#""step":20,"#)
          ? line.replacing(/"parameterHash":"[0-9a-f]{16}"/, with: #""parameterHash":"0123456789abcdef""#)
          : line
      }
      try folder.write(lines.joined(separator: "\n") + "\n", to: "run/metrics.jsonl")
      for ranks in [1, 3] {
        expect(
          try reproduce(folder("run"), ranks: ranks), 70,
          ["differs first after step 20, and was the same after step 16", "0123456789abcdef"])
      }
      #expect(try reproduce(folder("run/model.safetensors")).code == 0)
      // A run that really was another.
      let forged = try rewritten(folder("run/model.safetensors"), isForged: true) { $0["--seed"] = "5" }
      try FileManager.default.removeItem(atPath: folder("run/model.safetensors"))
      try FileManager.default.moveItem(atPath: forged, toPath: folder("run/model.safetensors"))
      expect(try reproduce(folder("run"), ranks: 2), 70, ["differs first after step 4:"])
      try folder.write(String(lines[0]) + "\nnonsense\n", to: "run/metrics.jsonl")
      expect(try reproduce(folder("run")), 65, ["metrics.jsonl", "line 2"])
    }

    @Test func tooManyRanks() throws {
      let model = try train(["--steps", "3", "--shards", "2"], ranks: 2)
      expect(try reproduce(model, ranks: 3), 64, ["2 shards", "3 ranks"])
      // The number is told where it was the default, too.
      let byDefault = try train(["--steps", "3"], ranks: 2, to: "default")
      let shards = SafeTensors.metadata(of: byDefault)?["--shards"].flatMap { Int($0) } ?? 0
      #expect(shards >= 2)
      expect(try reproduce(byDefault, ranks: shards + 1), 64, ["\(shards) shards"])
    }
  }
}
