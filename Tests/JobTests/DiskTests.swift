// A disk that fills up while metrics are written.
import Foundation
import Runs
import TestSupport
import Testing

/// How a full disk can be had here.
enum FullDisk: String {
  /// A file system of a few pages, mounted for the job alone (util-linux unshare).
  case mount
  /// A limit on the size of files: the write fails in the same place, with another errno.
  case limit
  case none

  static let here: FullDisk = {
    func works(_ command: String) -> Bool {
      (try? Child("sh", ["-c", command]).wait(limit: 10).code) == 0
    }
    if works(shell(.mount, folder: "/mnt", size: 16, command: "true")) { return .mount }
    print(
      "WARNING: a file system cannot be mounted here; the full-disk tests use a limit on file sizes instead")
    if works(shell(.limit, folder: "/mnt", size: 16, command: "true")) { return .limit }
    print("WARNING: NO FULL-DISK TEST: neither mounts nor file size limits work here")
    return .none
  }()

  /// A shell line that runs `command` where `folder` is a disk of `size` KiB.
  static func shell(_ kind: FullDisk, folder: String, size: Int, command: String) -> String {
    switch kind {
    case .mount:
      let unshare = geteuid() == 0 ? "unshare --mount" : "unshare --mount --map-root-user"
      return "exec \(unshare) sh -c 'mount -t tmpfs -o size=\(size)k tmpfs \(folder) && \(command)'"
    case .limit: return "trap '' XFSZ; ulimit -f \(2 * size) && \(command)"
    case .none: return "false"
    }
  }
}

extension JobTests {
  @Suite(.enabled(if: FullDisk.here != .none, "no way to a full disk here")) struct DiskTests {
    private let folder = TemporaryFolder()

    /// Runs a job whose output folder is on a disk of `size` KiB, and keeps its files in `kept`.
    private func run(ranks: Int, size: Int, _ arguments: String) throws -> Outcome {
      for name in ["disk", "kept"] {
        try FileManager.default.createDirectory(atPath: folder(name), withIntermediateDirectories: true)
      }
      let launch = ranks == 1 ? "" : "mpirun -np \(ranks) "
      let command =
        "\(launch)\(distsgd) \(arguments) --output \(folder("disk"))/run; code=$?; cp -r \(folder("disk"))/run/* \(folder("kept")); exit $code"
      let line = FullDisk.shell(FullDisk.here, folder: folder("disk"), size: size, command: command)
      return try Child("sh", ["-c", line], environment: mpiEnvironment).wait(limit: 30)
    }

    /// With limited files, MPI's own shared memory cannot grow either: then only one rank is tried.
    private static let rankCounts = FullDisk.here == .mount ? [1, 4] : [1]

    @Test(arguments: rankCounts) func metrics(_ ranks: Int) throws {
      let outcome = try run(ranks: ranks, size: 40, "--epochs 400 --log-every 1 --log-hashes")
      #expect(!outcome.hung && outcome.code == 74, "\(outcome)")
      try #require(outcome.errorLines.count == 1, "\(outcome)")
      let line = outcome.errorLines[0].lowercased()
      #expect(["metrics.jsonl", "s.csv'", "heatmap.csv"].contains { line.contains($0) }, "\(line)")
      #expect(line.contains(FullDisk.here == .mount ? "no space left" : "file too large"), "\(line)")
      // What was written before is there, line by line.
      let lines = try readFile(folder("kept/metrics.jsonl")).split(separator: "\n")
      try #require(lines.count > 10)
      for line in lines.dropLast() {
        #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil, "\(line)")
      }
    }

    @Test(arguments: rankCounts) func model(_ ranks: Int) throws {
      let outcome = try run(ranks: ranks, size: 60, "--model mlp:200,200 --steps 3")
      #expect(!outcome.hung && outcome.code == 74, "\(outcome)")
      try #require(outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errorLines[0].contains("model.safetensors"), "\(outcome)")
      let files = try FileManager.default.contentsOfDirectory(atPath: folder("kept")).sorted()
      #expect(
        files == ["config.yaml", "heatmap.csv", "metrics.jsonl", "ranks.csv", "timings.csv", "waits.csv"],
        "no half model is left")
    }

    /// A checkpoint that does not fit ends the job; those before it are whole.
    @Test(arguments: rankCounts) func checkpoints(_ ranks: Int) throws {
      let outcome = try run(
        ranks: ranks, size: 300, "--model mlp:120,100 --lr 0.01 --epochs 4000 --checkpoint-every 1 --keep 100"
      )
      #expect(!outcome.hung && outcome.code == 74, "\(outcome)")
      try #require(outcome.errorLines.count == 1, "\(outcome)")
      // Whichever file asks for the last block: a checkpoint mostly, at times a line of timings.csv.
      #expect(outcome.errorLines[0].contains("no space left"), "\(outcome)")
      let kept = CheckpointFolder(run: folder("kept"))
      #expect(!kept.steps().isEmpty)
      for step in kept.steps() { _ = try Checkpoint(reading: kept.file(step: step)) }
      let files = try FileManager.default.contentsOfDirectory(atPath: kept.path)
      #expect(files.count == kept.steps().count, "no half checkpoint is left: \(files)")
    }

    /// Results on a full standard output are an error too.
    @Test func predictions() throws {
      let first = try JobTests.train(to: folder("run"))
      try #require(first.code == 0, "\(first)")
      let child = try Child(
        "sh",
        [
          "-c",
          "exec \(distsgd) predict --model \(folder("run"))/model.safetensors --data airfoil-like > /dev/full",
        ])
      let outcome = child.wait(limit: 30)
      #expect(outcome.code == 74 && outcome.errorLines.count == 1, "\(outcome)")
    }

    /// A disk that is full before all of mpirun's output is on it. (A limit on files stops mpirun itself.)
    @Test(.enabled(if: FullDisk.here == .mount, "no file system can be mounted here"))
    func predictionsThroughMPIRun() throws {
      let first = try JobTests.train(to: folder("run"))
      try #require(first.code == 0, "\(first)")
      try FileManager.default.createDirectory(atPath: folder("disk"), withIntermediateDirectories: true)
      let model = "\(folder("run"))/model.safetensors"
      let command =
        "mpirun -np 2 \(distsgd) predict --model \(model) --data airfoil-like > \(folder("disk"))/out"
      for (size, code) in [(8, 74), (64, 0)] {
        let line = FullDisk.shell(.mount, folder: folder("disk"), size: size, command: command)
        let outcome = try Child("sh", ["-c", line], environment: mpiEnvironment).wait(limit: 60)
        #expect(outcome.code == Int32(code) && outcome.errorLines.count == (code == 0 ? 0 : 1), "\(outcome)")
      }
    }
  }

  fileprivate static func train(to output: String) throws -> Outcome {
    try run(ranks: 1, ["--quiet", "--output", output])
  }
}
