// Models made again by their files alone: the same bits on any number of ranks, whatever was trained and how.
import DataFormats
import Foundation
import Runs
import TestSupport
import Testing

extension JobTests {
  @Suite struct ReproduceTests: ReproducingSuite {
    let folder = TemporaryFolder()

    @Test(arguments: ["blas", "portable"]) func onAnyNumberOfRanks(_ arithmetic: String) throws {
      let data = try folder.writeClasses()
      let model = try train(
        ["--data", data, "--model", "mlp:16", "--arithmetic", arithmetic, "--log-hashes"], ranks: 8)
      for ranks in [1, 3] {
        try expectReproduced(model, ranks: ranks)
        try expectReproduced(folder("run"), model: model, ranks: ranks)
      }
      let outcome = try reproduce(model, ["--json"], ranks: 2)
      let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
      #expect(object?["reproduced"] as? Bool == true && object?["ranks"] as? Int == 2, "\(outcome)")
      #expect(object?["hash"] as? String == SafeTensors.metadata(of: model)?["parameterHash"])
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
          "inputs.npy", "run", "targets.npy",
        ], "it writes no files")
    }

    private func expectReproduced(_ run: String, model: String, ranks: Int) throws {
      let outcome = try reproduce(run, ranks: ranks)
      let hash = try #require(SafeTensors.metadata(of: model)?["parameterHash"])
      #expect(outcome.code == 0 && outcome.output.hasSuffix(" parameters, hash \(hash)\n"), "\(outcome)")
    }

    @Test(arguments: [
      "--steps 17", "--epochs 3 --steps 5 --shards 4 --seed 18446744073709551615", "--data synthetic:300,7",
      "--optimizer adam --schedule cosine --epochs 2",
      "--duplicate 3 --sampling replacement --last-batch drop",
      "--validation 0.25 --examples 1000 --no-standardize --lr 1e-9",
      "--optimizer sgd:momentum=0.9,nesterov --lr 0.01 --loss huber:delta=2 --evaluate-every 50",
      "--micro-batch 3 --global-batch 10 --checkpoint-every 40 --check-every 7 --log-every 3 --keep 1",
      "--threads 2 --model mlp:8 --activation tanh --schedule step:every=1,factor=0.5",
    ])
    func words(_ words: String) throws {
      let model = try train(words.split(separator: " ").map(String.init), ranks: 2)
      try expectReproduced(model, ranks: 1)
    }

    @Test(arguments: ["blas", "portable"]) func layers(_ arithmetic: String) throws {
      let data = try folder.writeClassTable()
      let model = try train(
        [
          "--data", data, "--model", "dense:8 relu dropout:0.3 residual(dense:8 gelu) dense", "--optimizer",
          "adamw:weight-decay=0.1", "--schedule", "cosine", "--epochs", "4", "--features", "b,a", "--target",
          "kind", "--shards", "5", "--arithmetic", arithmetic,
        ], ranks: 4)
      for ranks in [1, 5] { try expectReproduced(model, ranks: ranks) }
    }

    /// Stopped, gone on with by other ranks, made longer; begun with weights of a file.
    @Test func ofARunThatWentOn() throws {
      let first = try train(["--model", "mlp:8", "--steps", "3"], to: "first")
      _ = try train(
        [
          "--model", "mlp:8", "--initialize", first, "--steps", "20", "--checkpoint-every", "10", "--shards",
          "4", "--optimizer", "adam",
        ], ranks: 3)
      let resumed = try run(ranks: 2, ["--resume", folder("run"), "--steps", "45"])
      try #require(resumed.code == 0, "\(resumed)")
      let model = folder("run/model.safetensors")
      try expectReproduced(model, ranks: 4)

      let weights = folder("weights.safetensors")
      try FileManager.default.moveItem(atPath: first, toPath: weights)
      expect(try reproduce(model, ranks: 2), 66, [first, "--initialize FILE"])
      try expectReproduced(model, ["--initialize", weights], ranks: 2)
      let other = try train(["--model", "mlp:8", "--steps", "4"], to: "other")
      expect(try reproduce(model, ["--initialize", other]), 65, [other, "hash"])
      expect(try reproduce(other, ["--initialize", weights]), 64, ["--initialize"])
      expect(
        try reproduce(folder("run/checkpoints/step-000000045.safetensors")), 65, ["is a checkpoint"])
    }

    /// The data, and only those that are trained on, may lie elsewhere.
    @Test func dataThatWereMoved() throws {
      let data = try folder.writeTable()
      let held = folder("held.csv")
      try FileManager.default.copyItem(atPath: data, toPath: held)
      let model = try train(["--data", data, "--validation", held], ranks: 2)
      try FileManager.default.removeItem(atPath: held)
      try expectReproduced(model)
      try FileManager.default.moveItem(atPath: data, toPath: folder("moved.csv"))
      for ranks in [1, 2] { expect(try reproduce(model, ranks: ranks), 66, [data, "--data PATH"]) }
      try expectReproduced(model, ["--data", folder("moved.csv")], ranks: 2)
      expect(try reproduce(model, ["--data", folder("none.csv")]), 66, ["none.csv"])
      expect(
        try reproduce(model, ["--data", "airfoil-like"]), 65, ["airfoil-like", "not the same data"])
    }
  }
}
