// One result on any machine: short runs with portable arithmetic, whose hashes stand here.
import Foundation
import NeuralNet
import TestSupport
import Testing

/// A run and the hash of its parameters. On whatever machine it is another one, something of
/// docs/arithmetic.md is not as it says: that must be found, or the arithmetic gets another version.
struct GoldenRun: Sendable, CustomTestStringConvertible {
  let hash: String
  /// Arguments of `train`; NUMBERS, CLASSES, TWO, IMAGES, TABLE and WIDE stand for data.
  let arguments: [String]

  var testDescription: String { arguments.joined(separator: " ") }

  /// - Parameter model: a text of layers, which may have blanks in it.
  init(_ hash: String, _ arguments: String, model: String? = nil) {
    self.hash = hash
    self.arguments = arguments.split(separator: " ").map(String.init) + (model.map { ["--model", $0] } ?? [])
  }

  static let all = [
    GoldenRun("54dae3305199b91e", "--data airfoil-like --shards 8 --epochs 1"),
    GoldenRun(
      "953fd9bc44870732",
      "--data airfoil-like --shards 8 --global-batch 100 --sampling replacement --duplicate 2 --last-batch drop --micro-batch 3 --steps 40"
    ),
    GoldenRun(
      "fec2d96cd47b971f",
      "--data NUMBERS --model linear --sampling sequential --shards 3 --global-batch 7 --epochs 2 --loss huber:delta=0.5 --optimizer sgd:momentum=0.9,nesterov,weight-decay=0.01 --lr 0.01"
    ),
    GoldenRun(
      "e38c88335a73484c", "--data NUMBERS --model linear --shards 8 --global-batch 3 --epochs 2 --lr 0.05"),
    GoldenRun(
      "747d5c2a3e7fb0af",
      "--data TABLE --shards 5 --global-batch 33 --validation 0.2 --epochs 3 --schedule step:every=5,factor=0.7"
    ),
    GoldenRun(
      "98b280d966eed671",
      "--data CLASSES --model softmax --shards 6 --global-batch 40 --epochs 3 --duplicate 2"),
    GoldenRun(
      "f6dc7b341fe7d95e",
      "--data IMAGES --model mlp:20,9 --shards 8 --global-batch 37 --epochs 3 --optimizer sgd:momentum=0.9"),
    GoldenRun(
      "43b2474f224a8748",
      "--data synthetic:300,20 --model mlp:30,10 --activation tanh --shards 6 --global-batch 50 --epochs 2 --optimizer adam:beta2=0.99 --lr 0.01"
    ),
    GoldenRun(
      "3dd52c45368f838b",
      "--data TWO --loss binary-cross-entropy --model mlp:12 --activation sigmoid --shards 4 --global-batch 30 --epochs 3 --optimizer adamw --schedule cosine --lr 0.02"
    ),
    GoldenRun(
      "b4e3ea2b7aa9325c",
      "--data CLASSES --shards 8 --global-batch 40 --micro-batch 2 --epochs 3 --optimizer adam --schedule cosine:floor=0.1 --lr 0.01 --duplicate 2",
      model: "dense:40 gelu dropout:0.3 residual(dense:40 tanh dropout:0.5 dense:40) dense"),
    GoldenRun(
      "75bb7c3a02e696de",
      "--data WIDE --shards 7 --global-batch 64 --epochs 2 --optimizer sgd:weight-decay=0.001 --lr 0.01",
      model: "dense:70 relu residual(gelu) dense:33 sigmoid dense"),
    GoldenRun(
      "6c975ed66aa308f6",
      "--data IMAGES --shards 8 --global-batch 37 --epochs 3 --momentum 0.9 --lr 0.05",
      model: "conv:7,3,padding=1 sigmoid avgpool:2 conv:13,2,stride=2 tanh flatten dense:9 relu dense"),
    GoldenRun(
      "87c10a584334ab25",
      "--data IMAGES --shards 5 --global-batch 40 --epochs 2 --optimizer adam --micro-batch 3",
      model:
        "conv:5,3 relu maxpool:3,stride=2 depthwise:2,padding=1 conv:19,1,unbiased gelu globalavgpool dense"),
    GoldenRun(
      "e7f3621f0300039d", "--data IMAGES --shards 4 --global-batch 50 --epochs 2",
      model:
        "conv:6,3,padding=1,unbiased batchnorm relu residual(conv:9,3,stride=2,padding=1 batchnorm:global tanh conv:9,3,padding=1) globalavgpool flatten dense"
    ),
    GoldenRun(
      "bf7e1fca43946215", "--data CLASSES --shards 3 --global-batch 25 --epochs 2",
      model: "conv1d:6,5,stride=2,padding=2 relu maxpool:2 conv1d:4,3 sigmoid dense"),
    GoldenRun(
      "da986008cc97eed1",
      "--data IMAGES --shards 8 --global-batch 37 --epochs 3 --lr 0.01 --optimizer adam --batch-norm global",
      model: "batchnorm relu dense:20 batchnorm dropout:0.2 relu dense"),
    GoldenRun(
      "349b7bd14778579d", "--data CLASSES --shards 6 --global-batch 40 --epochs 3",
      model:
        "dense:40 batchnorm:momentum=0.3 relu residual(layernorm dense:40 batchnorm:global) dense:17 layernorm tanh dense"
    ),
    GoldenRun(
      "a4cacfbbd27c2ed8", "--data IMAGES --shards 3 --global-batch 50 --micro-batch 7 --epochs 2",
      model: "batchnorm:epsilon=0.01 layernorm dense:33 batchnorm relu dense"),
    GoldenRun(
      "c22a83cceabb88cb",
      "--data synthetic:300,20 --model mlp:30,10 --shards 6 --global-batch 50 --epochs 2 --optimizer lamb --clip-norm 0.5 --warmup 3 --lr 0.02"
    ),
    GoldenRun(
      "fd11d7c0bd3787d7",
      "--data synthetic:300,20 --model mlp:60,30 --shards 6 --global-batch 50 --epochs 2 --optimizer lars:trust=0.02 --weight-decay 0.01 --no-decay-for bias --schedule one-cycle"
    ),
    GoldenRun(
      "c5222ed1374bb6f5",
      "--data synthetic:300,20 --model mlp:30,10 --shards 5 --global-batch 50 --epochs 2 --optimizer rmsprop:centered --momentum 0.5 --clip-value 0.05 --lr 0.001 --schedule exponential:factor=0.8"
    ),
    GoldenRun(
      "0a1901cb62b75b58",
      "--data synthetic:300,20 --model mlp:30,10 --shards 5 --global-batch 50 --epochs 2 --optimizer adadelta --schedule polynomial:power=1.5"
    ),
    GoldenRun(
      "4858316d4b7d1f33",
      "--data synthetic:300,20 --model mlp:30,10 --shards 5 --global-batch 50 --epochs 2 --optimizer adagrad:rate-decay=0.1 --scale-learning-rate sqrt --base-batch 16 --schedule inverse-sqrt:after=4"
    ),
  ]
  /// One that is stopped and resumed on another number of ranks; 13 steps.
  static let resumed = GoldenRun(
    "3575cb1d3db3e646", "--data CLASSES --shards 6 --global-batch 25 --optimizer adam --lr 0.01",
    model: "dense:16 gelu dropout:0.25 dense")
}

extension JobTests {
  @Suite struct GoldenHashTests {
    private let folder = TemporaryFolder()
    /// The best of this processor, then others.
    private let sets = Instructions.available.map(\.description)

    private func words(_ run: GoldenRun) throws -> [String] {
      let data: [String: () throws -> String] = [
        "NUMBERS": { try folder.writeMadeNumbers(rows: 90, columns: 7) },
        "WIDE": { try folder.writeMadeNumbers(rows: 150, columns: 600) },
        "CLASSES": { try folder.writeMadeClasses(rows: 130, columns: 30, classes: 10) },
        "TWO": { try folder.writeMadeClasses(rows: 100, columns: 5, classes: 2) },
        "IMAGES": { try folder.writeMadeImages(rows: 120, side: 9) },
        "TABLE": { try folder.writeMadeTable(rows: 200) },
      ]
      return try run.arguments.map { try data[$0]?() ?? $0 } + ["--arithmetic", "portable"]
    }

    @Test(arguments: GoldenRun.all) func theHashesOfAllMachines(_ run: GoldenRun) throws {
      let arguments = try words(run)
      let first = try train(
        ranks: 1, arguments, environment: ["DISTSGD_INSTRUCTIONS": nil, "OPENBLAS_CORETYPE": nil])
      #expect(first.finalHash == run.hash)
      let other = try train(
        ranks: 3, arguments,
        environment: [
          "DISTSGD_INSTRUCTIONS": sets.dropFirst().first ?? "scalar", "OPENBLAS_CORETYPE": "Prescott",
        ])
      #expect(other.finalHash == run.hash)
      #expect(other == first, "the losses too")
      let scalar = try train(ranks: 1, arguments, environment: ["DISTSGD_INSTRUCTIONS": "scalar"])
      #expect(scalar.finalHash == run.hash)
    }

    @Test(arguments: [[1, 3], [3, 2]]) func aResumeHasTheHashOfAllMachines(_ ranks: [Int]) throws {
      let arguments = try words(GoldenRun.resumed) + ["--quiet", "--steps"]
      let output = folder("run-\(ranks[0])")
      let first = try run(ranks: ranks[0], arguments + ["7", "--checkpoint-every", "3", "--output", output])
      try #require(first.code == 0, "\(first)")
      let second = try run(
        ranks: ranks[1], arguments + ["13", "--resume", output],
        environment: ["DISTSGD_INSTRUCTIONS": "scalar"])
      try #require(second.code == 0, "\(second)")
      #expect(
        try readMetrics(output + "/metrics.jsonl").last?.text("parameterHash") == GoldenRun.resumed.hash)
    }
  }
}
