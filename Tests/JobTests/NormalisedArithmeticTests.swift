// Norms with portable arithmetic are what docs/arithmetic.md says: a second program, written from that page, has the same
// bits.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct NormalisedArithmeticTests {
    private let folder = TemporaryFolder()
    private let again: String

    init() throws {
      again = folder("again")
      let compiled = try Child(
        "cc",
        [
          "-std=c11", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror",
          packageFolder + "/Tests/Arithmetic/again_normalised.c", "-lm", "-o", again,
        ]
      ).wait(limit: 60)
      try #require(compiled.code == 0, "\(compiled)")
    }

    /// 70 examples of 6 channels of one number, or of 2 of 59 numbers: sums of 32, of 16, of 8 and what is left.
    private func data(channels: Int) throws -> String {
      if channels == 6 { return try folder.writeMadeNumbers(rows: 70, columns: 6) }
      var numbers = MadeNumbers(5)
      let x = (0..<70 * 118).map { _ in numbers.float() }
      let y = (0..<70).map { x[118 * $0] }
      return try folder.write(npy("<f4", [70, 2, 59, 1], littleEndian(x)), to: "planes-x.npy") + ","
        + folder.write(npy("<f4", [70], littleEndian(y)), to: "planes-y.npy")
    }

    private func trained(_ data: String, _ span: String, shards: Int, ranks: Int) throws -> [UInt8] {
      let output = folder("run-\(ranks)")
      let outcome = try run(
        ranks: ranks,
        [
          "--arithmetic", "portable", "--data", data, "--task", "regression", "--no-standardize", "--model",
          "batchnorm layernorm dense:9 batchnorm relu dense", "--batch-norm", span, "--sampling",
          "sequential", "--seed", "7", "--shards", "\(shards)", "--global-batch", "16", "--epochs", "3",
          "--lr", "0.1", "--quiet", "--output", output,
        ], environment: ["DISTSGD_INSTRUCTIONS": ranks == 1 ? nil : "scalar"])
      try #require(outcome.code == 0, "\(outcome)")
      let file = try [UInt8](Data(contentsOf: URL(fileURLWithPath: output + "/model.safetensors")))
      let header = file[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
      // Two counts of batches come first.
      return Array(file[(8 + header + 16)...])
    }

    private func trainedAgain(_ data: String, _ channels: Int, _ span: String, shards: Int, _ more: String...)
      throws -> [UInt8]
    {
      let output = folder("again.bytes")
      let files = data.split(separator: ",").map(String.init)
      let words = files + ["\(channels)", span, "7", "\(shards)", "16", "3", "0.1"] + more
      let outcome = try Child(
        "sh", ["-c", "\"$0\" \"$@\" > \(output)", again] + words
      ).wait(limit: 60)
      try #require(outcome.code == 0, "\(outcome)")
      return try [UInt8](Data(contentsOf: URL(fileURLWithPath: output)))
    }

    /// The last batch has 6 examples: of 8 shards two hold nothing, and six have one.
    @Test(arguments: [6, 2], ["shard", "global"])
    func aSecondProgramHasTheSameBits(_ channels: Int, _ span: String) throws {
      let data = try data(channels: channels)
      for shards in [1, 3, 8] {
        let expected = try trainedAgain(data, channels, span, shards: shards)
        for ranks in [1, 3] where ranks <= shards {
          #expect(try trained(data, span, shards: shards, ranks: ranks) == expected, "\(shards), \(ranks)")
          try FileManager.default.removeItem(atPath: folder("run-\(ranks)"))
        }
      }
    }

    /// Another order of additions is another result: the test above can fail.
    @Test func theOrderShows() throws {
      let data = try data(channels: 2)
      let bytes = try trainedAgain(data, 2, "shard", shards: 3)
      #expect(try trainedAgain(data, 2, "shard", shards: 3, "other") != bytes)
    }
  }
}
