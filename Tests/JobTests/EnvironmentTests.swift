// The bits do not depend on what a library has done to the floating-point environment, and one that changes it during
// a run is found out.
import DataFormats
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct EnvironmentTests {
    private let folder = TemporaryFolder()

    /// The environment of a process that such a library is loaded into.
    private func environment(_ change: String, isLater: Bool = false) throws -> [String: String?] {
      let library = folder("rounding.so")
      let compiler = try Child(
        "cc",
        [
          "-O1", "-shared", "-fPIC", "-Wl,-z,initfirst", "-o", library,
          packageFolder + "/Tests/Reference/rounding.c", "-lm",
        ])
      let compiled = compiler.wait(limit: 60)
      try #require(compiled.code == 0, "\(compiled)")
      // A pool of threads that OpenBLAS makes while it is loaded inherits the change.
      return [
        "LD_PRELOAD": library, "CHANGE": change, "LATER": isLater ? "1" : nil, "OPENBLAS_NUM_THREADS": "2",
      ]
    }

    /// Subnormal numbers: the targets are 1e-20 and the predictions 0, so that losses are some 1e-41.
    private func tinyTargets() throws -> [String] {
      let inputs = try folder.write(
        npy("<f4", [200, 2], littleEndian([Float](repeating: 1e-30, count: 400))), to: "x.npy")
      let targets = try folder.write(
        npy("<f4", [200], littleEndian((0..<200).map { 1e-20 * Float(1 + $0 % 7) })), to: "y.npy")
      return ["--data", "\(inputs),\(targets)", "--model", "linear", "--epochs", "3"]
    }

    @Test(
      arguments: [
        ("up", "default"), ("up", "mlp"), ("up", "threads"), ("flush", "threads"), ("flush", "tiny"),
      ], [1, 2])
    func theSameBits(_ attempt: (change: String, kind: String), _ ranks: Int) throws {
      let kind = attempt.kind
      let mlp = ["--data", "synthetic:2000,300", "--model", "mlp:256", "--lr", "0.01", "--epochs", "1"]
      let arguments =
        ["--shards", "2"]
        + (kind == "tiny"
          ? try tinyTargets() : kind == "default" ? [] : mlp + ["--threads", kind == "threads" ? "2" : "1"])
      let expected = try train(ranks: ranks, arguments, environment: ["OPENBLAS_NUM_THREADS": "2"])
      let changed = try train(ranks: ranks, arguments, environment: try environment(attempt.change))
      #expect(changed == expected, "differs at \(changed.firstDifference(from: expected))")
    }

    @Test(
      arguments: [("up", "rounding other than to nearest"), ("flush", "subnormal numbers flushed to zero")],
      [1, 2])
    func itIsSaid(_ change: (name: String, words: String), _ ranks: Int) throws {
      let outcome = try run(
        ranks: ranks, ["--quiet", "--output", folder("run")], environment: try environment(change.name))
      #expect(outcome.code == 0, "\(outcome)")
      let lines = outcome.errors.split(separator: "\n").filter { $0.contains(change.words) }
      #expect(lines.count == 1 && lines[0].hasPrefix("distsgd: warning: "), "\(outcome)")
      let usual = try run(ranks: ranks, ["--quiet", "--output", folder("usual")])
      #expect(usual.code == 0 && !usual.errors.contains("warning"), "\(usual)")
    }

    @Test(arguments: ["up", "flush"], [1, 2])
    func aChangeDuringTheRunEndsIt(_ change: String, _ ranks: Int) throws {
      let outcome = try run(
        ranks: ranks, ["--quiet", "--output", folder("run")],
        environment: try environment(change, isLater: true))
      #expect(outcome.code == 70 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("floating-point environment"), "\(outcome)")
      #expect(!FileManager.default.fileExists(atPath: folder("run/model.safetensors")), "\(outcome)")
    }
  }
}
