// What happens to a run's folder while jobs are under way, and what of it is on the disk.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct FolderTests {
    private let folder = TemporaryFolder()
    private var files: FileManager { FileManager.default }

    private func arguments(_ words: String) -> [String] {
      let job = "--data synthetic:2000,50 --model mlp:128,64 --global-batch 32 --lr 0.001 --shards 4 --quiet "
      return (job + words).split(separator: " ").map(String.init)
    }

    private func exists(_ name: String) -> Bool { files.fileExists(atPath: folder(name)) }

    enum Change: String, CaseIterable {
      case folderIsRemoved, folderIsMoved, folderIsReplaced, metricsAreRemoved, metricsAreReplaced,
        timingsAreRemoved, checkpointsAreRemoved, checkpointsAreReplaced
    }

    private func remove(_ name: String) {
      // The job may be making a file in it.
      while exists(name) { try? files.removeItem(atPath: folder(name)) }
    }

    private func make(_ change: Change) throws {
      func replace(_ name: String) throws {
        try files.copyItem(atPath: folder(name), toPath: folder("copy"))
        #expect(rename(folder(name), folder("old")) == 0 && rename(folder("copy"), folder(name)) == 0)
      }
      switch change {
      case .folderIsRemoved: remove("run")
      case .folderIsMoved: #expect(rename(folder("run"), folder("old")) == 0)
      case .folderIsReplaced:
        #expect(rename(folder("run"), folder("old")) == 0)
        try files.createDirectory(atPath: folder("run"), withIntermediateDirectories: false)
      case .metricsAreRemoved: remove("run/metrics.jsonl")
      case .metricsAreReplaced: try replace("run/metrics.jsonl")
      case .timingsAreRemoved: remove("run/timings.csv")
      case .checkpointsAreRemoved:
        #expect(rename(folder("run/checkpoints"), folder("old")) == 0)
        remove("old")
      case .checkpointsAreReplaced:
        #expect(rename(folder("run/checkpoints"), folder("old")) == 0)
        try files.createDirectory(atPath: folder("run/checkpoints"), withIntermediateDirectories: false)
      }
    }

    /// A run whose files are no longer there ends, and promises nothing.
    @Test(arguments: Change.allCases, [1, 2]) func theFolderChanges(_ change: Change, _ ranks: Int) throws {
      let child = try start(
        ranks: ranks, arguments("--epochs 1000000 --checkpoint-every 0.05s --output \(folder("run"))"))
      var checkpoints: [String] = []
      for _ in 0..<60_000 where child.isRunning && checkpoints.isEmpty {
        checkpoints = ((try? files.contentsOfDirectory(atPath: folder("run/checkpoints"))) ?? []).filter {
          $0.hasSuffix(".safetensors")
        }
        usleep(1_000)
      }
      try make(change)
      let outcome = child.wait(limit: 60)
      #expect(outcome.code == 74 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("is no longer what this run has opened"), "\(outcome)")
      #expect(!outcome.errors.contains("go on with:"), "\(outcome)")
      switch change {
      case .folderIsRemoved, .folderIsMoved: #expect(!exists("run"), "nothing is made anew")
      case .folderIsReplaced, .checkpointsAreReplaced:
        let name = change == .folderIsReplaced ? "run" : "run/checkpoints"
        #expect(try files.contentsOfDirectory(atPath: folder(name)) == [], "it is somebody else's")
      case .checkpointsAreRemoved: #expect(!exists("run/checkpoints"))
      default: break
      }
    }

    /// Also where a run has had no checkpoint yet, and the first one is asked for.
    @Test(arguments: [1, 3]) func aStopAfterTheFolderWent(_ ranks: Int) throws {
      let child = try start(
        ranks: ranks,
        arguments(
          "--epochs 1000000 --log-every 1000000000 --evaluate-every 1000000000 --output \(folder("run"))"))
      for _ in 0..<60_000
      where child.isRunning && (try? readFile(folder("run/timings.csv")))?.contains("\n1,") != true {
        usleep(1_000)
      }
      remove("run")
      kill(ranks == 1 ? child.identifier : child.children.last ?? child.identifier, SIGUSR1)
      let outcome = child.wait(limit: 60)
      #expect(outcome.code == 74 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(!outcome.errors.contains("go on with:") && !exists("run"), "\(outcome)")
    }

    /// Jobs that begin in the same second.
    @Test func jobsWithoutAName() throws {
      let jobs = try (0..<8).map { _ in try start(ranks: 1, ["--quiet"], directory: folder.path) }
      for job in jobs {
        let outcome = job.wait(limit: 120)
        #expect(outcome.code == 0, "\(outcome)")
      }
      let runs = try files.contentsOfDirectory(atPath: folder("runs"))
      #expect(runs.count == jobs.count, "\(runs)")
      for run in runs { #expect(exists("runs/\(run)/model.safetensors")) }
    }

    /// Nobody waits for a pipe.
    @Test(arguments: ["metrics.jsonl", "timings.csv"], [1, 2]) func aPipe(_ name: String, _ ranks: Int) throws
    {
      let first = try run(arguments("--steps 10 --checkpoint-every 5 --output \(folder("run"))"))
      try #require(first.code == 0, "\(first)")
      remove("run/\(name)")
      try #require(mkfifo(folder("run/\(name)"), 0o666) == 0)
      let outcome = try run(ranks: ranks, ["--resume", folder("run"), "--steps", "20"], limit: 60)
      #expect(outcome.code == 66 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("\(name)' is a link, a pipe or a folder"), "\(outcome)")
    }

    /// Before a checkpoint has its name, the names of all that it needs are on the disk, up to the folder that was there.
    @Test func namesAreOnTheDisk() throws {
      let library = folder("log_syncs.so")
      let compiled = try Child(
        "cc", ["-shared", "-fPIC", "-o", library, packageFolder + "/Tests/Reference/log_syncs.c", "-ldl"]
      ).wait(limit: 60)
      try #require(compiled.code == 0, "\(compiled)")
      let outcome = try run(
        arguments("--steps 10 --checkpoint-every 5 --output \(folder("a/b"))"),
        environment: ["LD_PRELOAD": library, "LOG_SYNCS": folder("log")])
      try #require(outcome.code == 0, "\(outcome)")
      let log = try readFile(folder("log")).split(separator: "\n").map(String.init)
      func places(_ line: String) -> [Int] { log.indices.filter { log[$0] == line } }
      func isBetween(_ line: String, _ first: String, _ last: String) -> Bool {
        guard let first = places(first).first, let last = places(last).first else { return false }
        return places(line).contains { first < $0 && $0 < last }
      }
      let checkpoint = "rename step-000000005.safetensors"
      #expect(isBetween("sync \(folder.path)", "mkdir \(folder("a"))", checkpoint), "\(log)")
      #expect(isBetween("sync \(folder("a"))", "mkdir \(folder("a/b"))", checkpoint), "\(log)")
      #expect(isBetween("sync \(folder("a/b"))", "mkdir \(folder("a/b"))", "mkdir checkpoints"), "\(log)")
      #expect(isBetween("sync \(folder("a/b"))", "mkdir checkpoints", checkpoint), "\(log)")
      #expect(
        isBetween("sync \(folder("a/b/metrics.jsonl"))", "mkdir \(folder("a/b"))", checkpoint), "\(log)")
      #expect(places("sync \(folder("a/b/checkpoints"))").contains { $0 > places(checkpoint)[0] }, "\(log)")
    }
  }
}
