// Random damage of every kind of file that the program reads, through the commands that read it: an end with a code of
// ours and at most one line of error, never a trap, a hang, or a folder that has lost what it held.
import Foundation
import RandomNumbers
import TestSupport
import Testing

extension JobTests {
  @Suite struct DamageTests {
    private let folder = TemporaryFolder()
    private static let codes: Set<Int32> = [0, 64, 65, 66, 70, 73, 74, 76]

    /// - Returns: the exit code.
    @discardableResult
    private func expectAnEnd(
      _ name: String, ranks: Int = 1, _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Int32 {
      let outcome = try run(ranks: ranks, arguments, limit: 60)
      #expect(!outcome.hung, "\(name): \(outcome)", sourceLocation: sourceLocation)
      let code = outcome.code ?? -1
      #expect(Self.codes.contains(code), "\(name): \(outcome)", sourceLocation: sourceLocation)
      #expect(
        outcome.errorLines.count == (code == 0 ? 0 : 1), "\(name): \(outcome)", sourceLocation: sourceLocation
      )
      return code
    }

    private func bytes(_ path: String) throws -> [UInt8] {
      Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// The parameters at a run's end.
    private func hash(_ run: String) throws -> Substring? {
      let end = try readFile(run + "/metrics.jsonl").split(separator: "\n").last {
        $0.contains(#""event":"end""#)
      }
      return end?.firstMatch(of: /"parameterHash":"([0-9a-f]{16})"/)?.1
    }

    /// What the data sets are made of, each a file that is read as it is.
    private static let data: [(name: String, bytes: [UInt8])] = [
      ("t.csv", Array("a,\"b \"\"q\"\"\",y\r\n1,2.5,3e-1\r\n4,5,6\r\n-7,8.25,90\r\n2,2,2\r\n".utf8)),
      ("t.dat", Array("1 2\t3\n4 5.123456789012345678 6\n7 8 9\n".utf8)),
      ("t.npy", npy("<f4", [4, 3], littleEndian((0..<12).map(Float.init)))),
    ]

    @Test(arguments: 0..<3) func dataSets(_ kind: Int) throws {
      let (name, whole) = Self.data[kind]
      let random = Philox(seed: UInt64(kind), purpose: .syntheticData)
      var good = 0
      for iteration in 0..<120 {
        let path = try folder.write(whole.damaged(random, UInt64(iteration)), to: name)
        let code = try expectAnEnd(
          "\(name) \(iteration)", ranks: iteration % 40 == 39 ? 4 : 1,
          [
            "--data", path, "--steps", "2", "--global-batch", "1", "--shards", "4", "--quiet", "--output",
            folder("run"),
          ])
        if code == 0 { good += 1 }
        try? FileManager.default.removeItem(atPath: folder("run"))
      }
      #expect(good > 0 && good < 120, "\(good) of 120 \(name) were read")
    }

    @Test func modelsAndPredictions() throws {
      let data = try folder.write(Self.data[0].bytes, to: "whole.csv")
      try #require(
        try expectAnEnd(
          "train",
          [
            "--data", data, "--steps", "2", "--global-batch", "2", "--model", "mlp:4", "--quiet", "--output",
            folder("run"),
          ]
        ) == 0)
      let whole = try bytes(folder("run/model.safetensors"))
      let random = Philox(seed: 9, purpose: .syntheticData)
      var good = 0
      for iteration in 0..<120 {
        let path = try folder.write(whole.damaged(random, UInt64(iteration)), to: "m.safetensors")
        for command in ["predict", "evaluate"] {
          if try expectAnEnd("model \(iteration)", [command, "--model", path, "--data", data]) == 0 {
            good += 1
          }
        }
        try expectAnEnd("reproduce \(iteration)", ["reproduce", path])
        try expectAnEnd(
          "weights \(iteration)",
          [
            "--data", data, "--model", "mlp:4", "--initialize", path, "--steps", "1", "--global-batch", "2",
            "--quiet", "--output", folder("i"),
          ])
        try? FileManager.default.removeItem(atPath: folder("i"))
      }
      #expect(good > 0 && good < 240, "\(good) of 240")
    }

    /// Any file of a run's folder, and then `--resume`. What a refused resume leaves is what it found.
    @Test(arguments: [
      "checkpoints/step-000000006.safetensors", "metrics.jsonl", "timings.csv", "model.safetensors",
    ])
    func runFolders(_ name: String) throws {
      let data = try folder.write(Self.data[0].bytes, to: "whole.csv")
      try #require(
        try expectAnEnd(
          "train",
          [
            "--data", data, "--steps", "6", "--global-batch", "2", "--log-every", "1", "--checkpoint-every",
            "2", "--quiet",
            "--output", folder("whole"),
          ]) == 0)
      try FileManager.default.copyItem(atPath: folder("whole"), toPath: folder("unharmed"))
      try #require(
        try expectAnEnd("resume", ["--resume", folder("unharmed"), "--steps", "9", "--quiet"]) == 0)
      let expected = try hash(folder("unharmed"))
      let random = Philox(seed: UInt64(name.count), purpose: .syntheticData)
      var good = 0
      for iteration in 0..<60 {
        let run = folder("run")
        try? FileManager.default.removeItem(atPath: run)
        try FileManager.default.copyItem(atPath: folder("whole"), toPath: run)
        let path = run + "/" + name
        let damaged = try bytes(path).damaged(random, UInt64(iteration))
        try Data(damaged).write(to: URL(fileURLWithPath: path))
        let code = try expectAnEnd(
          "\(name) \(iteration)", ranks: iteration % 20 == 19 ? 4 : 1,
          ["--resume", run, "--steps", "9", "--quiet"])
        if code == 0 {
          good += 1
          // It went on from a whole checkpoint: the bits are those of a run that nobody harmed.
          #expect(try hash(run) == expected, "\(name) \(iteration)")
        } else {
          #expect(try bytes(path) == damaged, "\(name) \(iteration): a refused resume changed it")
        }
      }
      #expect(good > 0, "none of 60 went on")
    }
  }
}
