// The fault drill: whatever happens to a rank, the job ends, one line says what it was, and nothing wrong is kept.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct FaultTests {
    private let folder = TemporaryFolder()

    private static let small = "--data synthetic:4000,20 --global-batch 32 --lr 0.01 --shards 8"
    private static let large = small + " --model mlp:64,32"

    /// A run in `run`: a new one, or what goes on from there.
    private func arguments(_ words: String) -> [String] {
      let isThere = FileManager.default.fileExists(atPath: folder("run"))
      return words.split(separator: " ").map(String.init) + [
        "--quiet", isThere ? "--resume" : "--output", folder("run"),
      ]
    }

    /// Trains until step 400, of which a checkpoint is kept: a disk may be too slow for those just before a fault.
    private func begin(_ job: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
      let outcome = try run(ranks: 2, arguments(job + " --steps 400"))
      try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
      try #require(steps().last == 400, sourceLocation: sourceLocation)
    }

    /// - Parameters:
    ///   - codes: of a rank that was killed or of one that noticed, whichever mpirun sees first.
    ///   - words: what the one line must say.
    private func suffer(
      _ fault: String, ranks: Int, _ more: String, codes: Set<Int32>, _ words: String...,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let child = try start(ranks: ranks, arguments("\(more) --inject \(fault)"))
      var processes: [pid_t] = []
      while child.isRunning, processes.count < ranks, ranks > 1 {
        processes = child.children
        usleep(1_000)
      }
      let outcome = child.wait(limit: 60)
      print("\(fault) at \(ranks) ranks: ended after \(outcome.seconds) s")
      #expect(outcome.code.map(codes.contains) == true, "\(outcome)", sourceLocation: sourceLocation)
      #expect(outcome.errorLines.count == 1, "one line: \(outcome)", sourceLocation: sourceLocation)
      for word in words {
        #expect(outcome.errors.contains(word), "\(word): \(outcome)", sourceLocation: sourceLocation)
      }
      for process in processes {
        #expect(isGone(process), "process \(process) is still there", sourceLocation: sourceLocation)
      }
    }

    private func steps() -> [Int] {
      let files = (try? FileManager.default.contentsOfDirectory(atPath: folder("run/checkpoints"))) ?? []
      return files.compactMap { Int($0.dropFirst(5).dropLast(12)) }.sorted()
    }

    /// What the folder has is whole and right: resumed, it ends as if nothing had happened.
    private func resumesToTheRightEnd(
      _ job: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let resumed = try run(ranks: 3, arguments("--steps 1000"))
      #expect(resumed.code == 0, "\(resumed)", sourceLocation: sourceLocation)
      let whole = try run(
        job.split(separator: " ").map(String.init)
          + ["--steps", "1000", "--quiet", "--output", folder("whole")])
      try #require(whole.code == 0, "\(whole)", sourceLocation: sourceLocation)
      let (found, expected) = (
        try Trace(folder("run/metrics.jsonl")), try Trace(folder("whole/metrics.jsonl"))
      )
      let isSame = found == expected
      #expect(isSame, "\(found.firstDifference(from: expected))", sourceLocation: sourceLocation)
    }

    @Test(arguments: [(2, 1), (3, 0), (8, 5)], [small, large])
    func aRankDies(_ place: (ranks: Int, rank: Int), _ job: String) throws {
      let job = job + " --log-hashes"
      try begin(job + " --checkpoint-every 50")
      try suffer(
        "kill:rank=\(place.rank),step=700", ranks: place.ranks, "--steps 1000", codes: [137, 70],
        "rank \(place.rank) on ", "has died, last seen in step 699, after ", "--resume")
      try resumesToTheRightEnd(job)
    }

    @Test(arguments: [(2, 0), (8, 3)], [small, large])
    func aRankIsStopped(_ place: (ranks: Int, rank: Int), _ job: String) throws {
      try suffer(
        "stop:rank=\(place.rank),step=300", ranks: place.ranks, job + " --steps 100000 --timeout 2",
        codes: [70],
        "rank \(place.rank) on ", "does not run any more", "last seen in step 299, after ")
    }

    /// A rank that lives and does not come.
    @Test(arguments: [2, 8]) func aRankIsLate(_ ranks: Int) throws {
      try suffer(
        "slow:rank=1,factor=1000000", ranks: ranks,
        Self.large + " --steps 100000 --timeout 2", codes: [70],
        "rank 1 on ", "is waited for in vain for ", "last seen in step 1, after ")
    }

    @Test func aSlowRankIsNotLate() throws {
      let outcome = try run(
        ranks: 4,
        (Self.large + " --inject slow:rank=2,factor=20 --timeout 1 --epochs 2 --output \(folder("slow"))")
          .split(separator: " ").map(String.init))
      #expect(outcome.code == 0, "\(outcome)")
    }

    /// Small models are there once for each rank: the rank that differs is found at the next comparison.
    @Test(arguments: [3, 8]) func aBitTurnsOver(_ ranks: Int) throws {
      let job = Self.small + " --log-hashes"
      try begin(job + " --check-every 40 --checkpoint-every 50")
      try suffer(
        "bitflip:rank=2,step=520", ranks: ranks, "--steps 1000", codes: [70],
        "rank 2 on ", "has other parameters than the other ranks in step 520")
      #expect(try #require(steps().last) < 520, "no checkpoint is made of wrong parameters")
      try resumesToTheRightEnd(job)
    }

    /// A checkpoint is itself a comparison, also one that time makes due.
    @Test(arguments: ["50", "0.001s", "1epoch"]) func aBitTurnsOverBeforeACheckpoint(_ every: String) throws {
      let job = Self.small + " --log-hashes"
      try begin(job + " --check-every 100000 --checkpoint-every \(every)")
      try suffer(
        "bitflip:rank=1,step=520", ranks: 4, "--steps 1000", codes: [70],
        "rank 1 on ", "has other parameters than the other ranks in step ")
      #expect(try #require(steps().last) < 520)
      try resumesToTheRightEnd(job)
    }

    /// The end of a run is one too.
    @Test func aBitTurnsOverBeforeTheEnd() throws {
      try suffer(
        "bitflip:rank=1,step=95", ranks: 4, Self.small + " --steps 99 --check-every 1000", codes: [70],
        "rank 1 on ", "has other parameters than the other ranks in step 99")
      #expect(!FileManager.default.fileExists(atPath: folder("run/model.safetensors")))
    }

    @Test(arguments: [2, 8], [small, large]) func aRankGoesAnotherWay(_ ranks: Int, _ job: String) throws {
      try suffer(
        "desync:rank=1,step=77", ranks: ranks, job + " --steps 100000", codes: [70], "rank 1 on ",
        "does not do the same as \(ranks == 2 ? "rank 0" : "the other ranks") in step 77")
    }

    @Test(arguments: [1, 4]) func aParameterBecomesNaN(_ ranks: Int) throws {
      try suffer(
        "nan:rank=\(ranks - 1),step=77", ranks: ranks, Self.large + " --steps 100000", codes: [76],
        "the loss became nan at step 77")
    }

    @Test(arguments: [1, 4]) func theDiskIsFull(_ ranks: Int) throws {
      let job = Self.large + " --log-hashes"
      try begin(job + " --checkpoint-every 100")
      try suffer("full-disk:step=700", ranks: ranks, "--steps 1000", codes: [74], "no space left on device")
      #expect(try #require(steps().last) < 700)
      try resumesToTheRightEnd(job)
    }

    /// Two commands in one job.
    @Test func ranksWithOtherSettings() throws {
      let outcome = try Child(
        "mpirun",
        ["-np", "2", distsgd, "--lr", "0.1", "--quiet", ":", "-np", "1", distsgd, "--lr", "0.2", "--quiet"],
        environment: mpiEnvironment, directory: folder.path
      ).wait(limit: 60)
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("rank 2 on "), "\(outcome)")
      #expect(outcome.errors.contains("has --learning-rate=0.2, and rank 0 has not"), "\(outcome)")
    }

    @Test(arguments: [
      ("--inject explode:rank=1,step=2", "kill:rank=3,step=50"), ("--inject kill:rank=2,step=2", "no rank 2"),
      ("--timeout -1", "--timeout -1"), ("--check-every 0", "--check-every 0"),
    ]) func errors(_ words: String, _ text: String) throws {
      let outcome = try run(ranks: 2, arguments(words))
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains(text), "\(outcome)")
    }
  }
}
