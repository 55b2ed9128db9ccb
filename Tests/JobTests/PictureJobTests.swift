// Convolutions in real jobs: one hash at any number of ranks and micro-batches, through a kill, in other hands.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct PictureJobTests {
    private let folder = TemporaryFolder()

    private static let net =
      "conv:7,3,padding=1 relu maxpool:2 conv:9,2,stride=2 tanh dropout:0.2 flatten dense:12 sigmoid dense"
    private static let normalised =
      "conv:6,3,padding=1,unbiased batchnorm relu residual(conv:9,3,stride=2,padding=1 batchnorm:global relu depthwise:3,padding=1) globalavgpool dense"

    private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

    private func arguments(_ model: String, _ more: String) throws -> [String] {
      ["--data", try folder.writeMadeImages(rows: 120, side: 9), "--model", model] + words(more)
    }

    @Test(arguments: [net, normalised], ["blas", "portable"])
    func sameBitsAtAnyNumberOfRanks(_ model: String, _ arithmetic: String) throws {
      let arguments = try arguments(
        model,
        "--arithmetic \(arithmetic) --shards 8 --global-batch 37 --epochs 3 --optimizer adam --clip-norm 1 --warmup 4"
      )
      let expected = try train(ranks: 1, arguments)
      #expect(Set(expected.hashes).count == 12 && expected.losses.allSatisfy { $0.isFinite })
      for ranks in [2, 3, 4, 8] {
        let trace = try train(ranks: ranks, arguments)
        let isEqual = trace == expected
        #expect(isEqual, "\(ranks) ranks differ at \(trace.firstDifference(from: expected))")
      }
    }

    /// Of a shard of 60 rows, groups of examples begin anywhere.
    @Test(arguments: [1, 7, 16, 59, 60]) func microBatchesDoNotShow(_ rows: Int) throws {
      let arguments = try arguments(
        Self.net, "--arithmetic portable --shards 2 --global-batch 120 --epochs 3")
      let expected = try train(ranks: 1, arguments)
      #expect(try train(ranks: 2, arguments + ["--micro-batch", "\(rows)"]) == expected)
    }

    @Test func throughAKillAndAResume() throws {
      try expectSameThroughAKill(
        try arguments(Self.normalised, "--shards 8 --global-batch 40 --momentum 0.9"),
        steps: (all: 30, first: 12, killed: 21), checkpoint: 5, in: folder)
    }

    @Test func lenetByItsName() throws {
      let data = try folder.writeMadeImages(rows: 60, side: 28)
      func hash(_ more: [String]) throws -> String {
        try train(ranks: 2, ["--data", data, "--steps", "4", "--model"] + more).finalHash
      }
      let written =
        "conv:6,5,padding=2 sigmoid avgpool:2 conv:16,5 sigmoid avgpool:2 flatten dense:120 sigmoid dense:84 sigmoid dense"
      let lenet = try hash(["lenet"])
      #expect(try hash([written]) == lenet)
      let relu = try hash(["lenet", "--activation", "relu"])
      #expect(try hash([written.replacingOccurrences(of: "sigmoid", with: "relu")]) == relu && relu != lenet)
    }

    @Test(arguments: [
      ("conv:6,5 dense", "--data airfoil-like", "'conv:6,5' takes channels × height × width, and gets 5"),
      ("conv:6,11 dense", "", "'conv:6,11' does not fit into the 9 × 9 in front of it"),
      ("conv:6 dense", "", "'conv:6': its kernel's size is missing, as in conv:16,3,padding=1"),
      ("conv:6,3 convv:2,3 dense", "", "there is no layer 'convv'"),
    ])
    func mistakes(_ model: String, _ data: String, _ reason: String) throws {
      let own = try data.isEmpty ? ["--data", folder.writeMadeImages(rows: 20, side: 9)] : words(data)
      let outcome = try run(own + ["--model", model, "--output", folder("run")])
      #expect(outcome.code == 64 && outcome.errors.contains(reason), "\(outcome)")
    }
  }
}
