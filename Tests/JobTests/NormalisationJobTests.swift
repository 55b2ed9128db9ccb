// Batch and layer norms in real jobs: one hash at any number of ranks, through checkpoints, in files for other programs.
import DataFormats
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct NormalisationJobTests {
    private let folder = TemporaryFolder()

    /// Small: each rank has the parameters; large: each updates its part of them.
    private static let small =
      "dense:16 batchnorm relu dropout:0.2 dense:8 batchnorm:global tanh layernorm dense"
    private static let large =
      "batchnorm dense:64 batchnorm:global relu dropout:0.2 residual(dense:64 batchnorm relu dense:64) layernorm dense"

    private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

    @Test(arguments: [small, large], ["blas", "portable"])
    func sameBitsAtAnyNumberOfRanks(_ model: String, _ arithmetic: String) throws {
      let arguments =
        ["--arithmetic", arithmetic, "--model", model]
        + words(
          "--data \(try folder.writeClasses()) --optimizer adam --shards 8 --global-batch 40 --epochs 4")
      let expected = try train(ranks: 1, arguments)
      #expect(Set(expected.hashes).count == 16 && expected.losses.allSatisfy { $0.isFinite })
      for ranks in [2, 3, 4, 8] {
        let trace = try train(ranks: ranks, arguments)
        let isEqual = trace == expected
        #expect(isEqual, "\(ranks) ranks differ at \(trace.firstDifference(from: expected))")
      }
    }

    /// Fewer examples than shards and ranks, and micro-batches, whose last may have one example.
    @Test(arguments: [
      ("global", "--global-batch 3 --epochs 1"), ("shard", "--global-batch 43 --micro-batch 2"),
    ])
    func smallBatches(_ span: String, _ batches: String) throws {
      let arguments =
        ["--model", "dense:16 batchnorm relu dense", "--batch-norm", span]
        + words("--shards 8 --examples 130 --lr 0.01 \(batches)")
      let expected = try train(ranks: 1, arguments)
      #expect(expected.losses.allSatisfy { $0.isFinite })
      for ranks in [2, 3, 8] { #expect(try train(ranks: ranks, arguments) == expected, "\(ranks) ranks") }
    }

    /// Every set of instructions that this processor has.
    @Test func everySetOfInstructions() throws {
      let arguments = words("--arithmetic portable --steps 12 --shards 4") + ["--model", Self.small]
      let hashes = try ["avx512", "avx2", "neon", "scalar"].compactMap { name -> String? in
        let outcome = try run(
          arguments + ["--output", folder(name)], environment: ["DISTSGD_INSTRUCTIONS": name])
        guard outcome.code == 0 else {
          #expect(outcome.code == 64, "\(outcome)")
          return nil
        }
        return outcome.output.split(separator: "\n").first { $0.hasPrefix("parameter hash") }.map(String.init)
      }
      #expect(hashes.count >= 1 && Set(hashes).count == 1, "\(hashes)")
    }

    /// A rank is killed; another number of ranks goes on with parameters and statistics as they were.
    @Test(arguments: [small, large]) func throughAKillAndAResume(_ model: String) throws {
      let data = try folder.writeClasses()
      let arguments =
        ["--model", model, "--data", data] + words("--optimizer adam --shards 8 --global-batch 40")
      try expectSameThroughAKill(
        arguments, steps: (all: 60, first: 30, killed: 45), checkpoint: 10, in: folder)
    }

    /// `--batch-norm` is a setting of the run.
    @Test func theSpanIsOneOfTheRun() throws {
      let model = ["--model", "dense:16 batchnorm relu dense"]
      func hash(_ more: [String]) throws -> String { try train(ranks: 2, model + more).finalHash }
      let common = words("--steps 20 --checkpoint-every 10 --quiet")
      let first = try run(
        ranks: 2, model + common + ["--batch-norm", "global", "--output", folder("run")])
      try #require(first.code == 0, "\(first)")
      let refused = try run(["--resume", folder("run"), "--batch-norm", "shard", "--steps", "30"])
      #expect(refused.code == 64 && refused.errors.contains("--batch-norm shard"), "\(refused)")
      let resumed = try run(["--resume", folder("run"), "--steps", "30", "--quiet"])
      #expect(resumed.code == 0, "\(resumed)")
      let global = try hash(["--batch-norm", "global", "--steps", "30"])
      #expect(try Trace(folder("run/metrics.jsonl")).finalHash == global)
      #expect(try run(["reproduce", folder("run")]).code == 0)
      let metadata = try #require(SafeTensors.metadata(of: folder("run/model.safetensors")))
      #expect(metadata["layers"] == "dense:16 batchnorm:global relu dense:1")
      #expect(metadata["--batch-norm"] == "global")
      #expect(try hash(["--batch-norm", "shard", "--steps", "30"]) == hash(["--steps", "30"]))
      #expect(try hash(["--steps", "30"]) != global)
    }

    @Test(arguments: [
      ("dense:16 batchnorm dense", "", "batch norm: mean and variance of a shard, 16 examples"),
      ("dense:16 batchnorm dense", "--shards 7", "of a shard, 18 or 19 examples"),
      ("dense:16 batchnorm dense", "--shards 1", "of the global batch, 128 examples"),
      ("dense:16 batchnorm dense", "--micro-batch 4", "of a micro-batch, 4 examples"),
      ("dense:16 batchnorm dense", "--batch-norm global", "of the global batch, 128 examples"),
      (
        "batchnorm residual(batchnorm:global) dense", "",
        "of a shard, 16 examples; and of the global batch, 128 examples"
      ),
    ])
    func whatItAveragesOverIsTold(_ model: String, _ more: String, _ line: String) throws {
      let outcome = try run(["--model", model, "--steps", "1", "--output", folder("run")] + words(more))
      #expect(outcome.code == 0 && outcome.output.contains(line + "\n"), "\(outcome)")
    }

    @Test(arguments: [
      ("dense:16 relu dense", "--batch-norm global", "there is no batchnorm among the layers"),
      ("dense:16 batchnorm dense", "--global-batch 8", "use at most 4 shards, a larger --global-batch, or"),
      ("dense:16 batchnorm dense", "--micro-batch 1", "--micro-batch 1: "),
      ("dense:16 batchnorm dense", "--batch-norm global --micro-batch 4", "leave it out"),
      ("dense:16 batchnorm:global dense", "--global-batch 1 --shards 1", "use at least 2"),
      ("dense:16 batchnorm dense", "--batch-norm ghost", "'--batch-norm <shard|global>'"),
      ("dense:16 batchnorm:momentum=2 dense", "", "from 0 to 1"),
    ])
    func mistakes(_ model: String, _ more: String, _ reason: String) throws {
      for ranks in [1, 3] where ranks == 1 || !more.contains("--shards 1") {
        let outcome = try run(
          ranks: ranks, ["--model", model, "--output", folder("run")] + words(more), limit: 60)
        #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errors.contains(reason), "\(outcome)")
      }
    }

    /// A file as PyTorch writes one, with its count of batches; and one without statistics, which begin anew.
    @Test func filesOfOtherPrograms() throws {
      let model = ["--model", "dense:4 batchnorm relu dense", "--steps", "6"]
      let made = try run(model + ["--quiet", "--output", folder("run")])
      try #require(made.code == 0, "\(made)")
      let file = try SafeTensors.read(from: folder("run/model.safetensors"))
      #expect(file["1.num_batches_tracked"]?.values == [6] && file["1.num_batches_tracked"]?.shape == [])
      #expect(file["1.running_mean"]?.values.contains { $0 != 0 } == true)
      func start(_ tensors: [SafeTensors.Tensor], _ name: String) throws -> Outcome {
        try SafeTensors(tensors: tensors).write(to: folder(name))
        return try run(model + ["--initialize", folder(name), "--quiet", "--output", folder(name + "-run")])
      }
      let prefixed = file.tensors.map {
        SafeTensors.Tensor(name: "module." + $0.name, shape: $0.shape, values: $0.values)
      }
      let whole = try start(prefixed.filter { !$0.name.hasSuffix("tracked") }, "whole")
      #expect(whole.code == 0, "\(whole)")
      let learned = try start(
        prefixed.filter { !$0.name.contains("running") }.filter { !$0.name.hasSuffix("tracked") }, "learned")
      #expect(learned.code == 0, "\(learned)")
      let missing = try start(
        file.tensors.filter { $0.name != "1.bias" && !$0.name.contains("tracked") }, "missing")
      #expect(missing.code == 65 && missing.errors.contains("no tensor '1.bias'"), "\(missing)")
      // Prediction and evaluation take the running statistics.
      let evaluated = try run([
        "evaluate", "--model", folder("run/model.safetensors"), "--data", "airfoil-like",
      ])
      #expect(evaluated.code == 0 && evaluated.output.contains("loss"), "\(evaluated)")
    }
  }
}
