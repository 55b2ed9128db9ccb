// Jobs that are told to stop, and go on: by a signal, at other numbers of ranks, under launch/supervise.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct SignalTests {
    private let folder = TemporaryFolder()

    private static let job =
      "--data synthetic:2000,50 --model mlp:128,64 --global-batch 32 --lr 0.001 --shards 8 --log-hashes"

    private func arguments(_ more: String) -> [String] {
      (Self.job + " " + more).split(separator: " ").map(String.init)
    }

    /// Waits until the job has trained for a while.
    private func waitForSteps(_ child: Child, ranks: Int, _ run: String) throws {
      for _ in 0..<30_000 where child.isRunning {
        let text = (try? readFile(folder("\(run)/metrics.jsonl"))) ?? ""
        if text.utf8.count > 3_000, ranks == 1 || child.children.count >= ranks { return }
        usleep(1_000)
      }
      Issue.record("the job is not under way")
    }

    private func steps(_ run: String) -> [Int] {
      let files = (try? FileManager.default.contentsOfDirectory(atPath: folder("\(run)/checkpoints"))) ?? []
      return files.compactMap { Int($0.dropFirst(5).dropLast(12)) }.sorted()
    }

    /// All but times and memory, and but the `run` event.
    private func trace(_ run: String) throws -> [String] {
      try readMetrics(folder("\(run)/metrics.jsonl")).dropFirst().map { event in
        event.fields.filter { !$0.key.hasPrefix("seconds") && $0.key != "memoryBytes" }.sorted {
          $0.key < $1.key
        }.map { "\($0)" }
          .joined(separator: " ")
      }
    }

    /// A signal to any one rank stops all; the run goes on at other numbers of ranks as if nothing had been.
    @Test(arguments: [
      (SIGTERM, 1, 3), (SIGUSR1, 4, 1), (SIGINT, 3, 8), (SIGTERM, 8, 2), (SIGHUP, 1, 2), (SIGHUP, 3, 1),
    ])
    func aRankIsToldToStop(_ signal: Int32, _ ranks: Int, _ later: Int) throws {
      let child = try start(ranks: ranks, arguments("--epochs 100000 --output \(folder("run"))"))
      try waitForSteps(child, ranks: ranks, "run")
      kill(ranks == 1 ? child.identifier : child.children.last!, signal)
      let outcome = child.wait(limit: 60)
      #expect(outcome.code == 75, "\(outcome)")
      #expect(outcome.errorLines.isEmpty, "a stop is no error: \(outcome)")
      let step = try #require(steps("run").last, "there is no checkpoint: \(outcome)")
      let launch = ranks == 1 ? "" : "mpirun -np \(ranks) "
      let line = "distsgd: stopped after step \(step); go on with: \(launch)distsgd --resume \(folder("run"))"
      #expect(outcome.errors.split(separator: "\n").count { $0 == line } == 1, "\(outcome)")

      let end = step + 100
      let resumed = try run(ranks: later, ["--resume", folder("run"), "--steps", "\(end)", "--quiet"])
      #expect(resumed.code == 0, "\(resumed)")
      let whole = try run(arguments("--epochs 100000 --steps \(end) --quiet --output \(folder("whole"))"))
      try #require(whole.code == 0, "\(whole)")
      let isSame = try trace("run") == trace("whole")
      #expect(isSame, "\(ranks) ranks until step \(step), then \(later)")
      let again = try run(ranks: 2, ["--resume", folder("run"), "--steps", "\(end)"])
      #expect(again.code == 0)
    }

    /// mpirun gives its ranks a second between SIGTERM and SIGKILL, and ends with a code of its own.
    @Test(
      arguments: [([SIGUSR1], 75), ([SIGTERM], 1), ([SIGINT], 1), ([SIGHUP], 1), ([SIGHUP, SIGUSR1], 1)]
        as [([Int32], Int32)])
    func mpirunIsToldToStop(_ signals: [Int32], _ code: Int32) throws {
      // More time than mpirun's second: whether that is enough is no question of this test.
      let child = try start(
        ranks: 4, arguments("--epochs 100000 --output \(folder("run"))"),
        environment: ["OMPI_MCA_odls_base_sigkill_timeout": "5"])
      try waitForSteps(child, ranks: 4, "run")
      for signal in signals { kill(child.identifier, signal) }
      let outcome = child.wait(limit: 60)
      #expect(outcome.code == code, "\(outcome)")
      #expect(steps("run").count == 1, "\(outcome)")
    }

    /// What nohup does: then the one who hangs up has not asked for a stop.
    @Test func aHangUpThatIsIgnored() throws {
      let words = arguments("--epochs 100000 --output \(folder("run"))").joined(separator: " ")
      let child = try Child(
        "sh", ["-c", "trap '' HUP; exec \(distsgd) \(words)"], environment: mpiEnvironment)
      try waitForSteps(child, ranks: 1, "run")
      kill(child.identifier, SIGHUP)
      let size = try readFile(folder("run/metrics.jsonl")).utf8.count
      for _ in 0..<30_000 where child.isRunning {
        if try readFile(folder("run/metrics.jsonl")).utf8.count > size + 3_000 { break }
        usleep(1_000)
      }
      #expect(child.isRunning && steps("run").isEmpty)
      kill(child.identifier, SIGTERM)
      let outcome = child.wait(limit: 60)
      #expect(outcome.code == 75, "\(outcome)")
    }

    /// However the script is asked, the job has the time that its checkpoint takes.
    @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGUSR1]) func superviseIsToldToStop(_ signal: Int32) throws {
      let child = try Child(
        packageFolder + "/launch/supervise",
        ["mpirun", "-np", "2", distsgd] + arguments("--epochs 100000 --quiet --output \(folder("run"))"),
        environment: mpiEnvironment.merging(["SLURM_JOB_ID": nil]) { _, new in new })
      try waitForSteps(child, ranks: 1, "run")
      kill(child.identifier, signal)
      let outcome = child.wait(limit: 60)
      #expect(outcome.code == 75 && steps("run").count == 1, "\(outcome)")
    }

    /// The job has work for hours: it does not matter how long the test takes to kill it, nor how long the killed one's
    /// ranks take to notice, and write on.
    @Test func superviseRestartsAFailedJob() throws {
      let environment = mpiEnvironment.merging(["SLURM_JOB_ID": nil]) { _, new in new }
      let words =
        ["--restarts", "3", "mpirun", "-np", "4", distsgd]
        + arguments("--epochs 100000 --quiet --checkpoint-every 0.05s --output \(folder("run"))")
      let child = try Child(packageFolder + "/launch/supervise", words, environment: environment)
      for _ in 0..<30_000 where child.isRunning && steps("run").isEmpty { usleep(1_000) }
      let mpirun = child.children
      let ranks = mpirun.flatMap(processes(startedBy:))
      for process in mpirun { kill(process, SIGKILL) }
      for process in ranks { #expect(isGone(process)) }
      // From here on every new checkpoint is the restarted job's.
      let last = try #require(steps("run").last)
      for _ in 0..<60_000 where child.isRunning && steps("run").last == last { usleep(1_000) }
      kill(child.identifier, SIGTERM)
      let outcome = child.wait(limit: 120)
      #expect(outcome.code == 75, "\(outcome)")
      #expect(
        outcome.errors.contains("restart 1 of 3, from \(folder("run"))/checkpoints/step-"), "\(outcome)")
      let end = try #require(steps("run").last) + 100
      #expect(end > last + 100, "\(outcome)")
      let resumed = try run(["--resume", folder("run"), "--steps", "\(end)", "--quiet"])
      try #require(resumed.code == 0, "\(resumed)")
      let whole = try run(arguments("--epochs 100000 --steps \(end) --quiet --output \(folder("whole"))"))
      try #require(whole.code == 0, "\(whole)")
      let isSame = try trace("run") == trace("whole")
      #expect(isSame)
    }

    /// The third rank never comes up: the job goes on with two.
    @Test func superviseLosesARank() throws {
      let script = try folder.write(
        "#!/bin/sh\n[ \"$OMPI_COMM_WORLD_RANK\" = 2 ] && kill -9 $$\nexec \(distsgd) \"$@\"\n", to: "broken")
      chmod(script, 0o755)
      let outcome = try Child(
        packageFolder + "/launch/supervise",
        ["mpirun", "-np", "3", script, "--quiet", "--output", folder("run")], environment: mpiEnvironment
      ).wait(limit: 120)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.errors.contains("going on with 2 ranks"), "\(outcome)")
      let whole = try run(["--shards", "3", "--quiet", "--output", folder("whole")])
      try #require(whole.code == 0, "\(whole)")
      let isSame = try trace("run") == trace("whole")
      #expect(isSame, "three shards on two ranks")
    }

    @Test func whatCannotBeResumed() throws {
      let first = try run(arguments("--steps 10 --quiet --checkpoint-every 5 --output \(folder("run"))"))
      try #require(first.code == 0, "\(first)")
      let finished = try run(ranks: 2, ["--resume", folder("run")])
      #expect(finished.code == 0 && finished.output.contains("is finished"), "\(finished)")
      for (words, code, text) in [
        ("--lr 0.002", 64, "--learning-rate 0.002: the run in"), ("--shards 4", 64, "--shards 4: the run in"),
        ("--output x", 64, "--output: a resumed run"), ("--data synthetic:2000,49", 65, "fingerprint"),
      ] as [(String, Int32, String)] {
        let outcome = try run(
          ranks: 2,
          ["--resume", folder("run"), "--steps", "20"] + words.split(separator: " ").map(String.init))
        #expect(outcome.code == code && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errors.contains(text), "\(outcome)")
      }
      let tooMany = try run(ranks: 9, ["--resume", folder("run"), "--steps", "20"])
      #expect(
        tooMany.code == 64 && tooMany.errors.contains("--shards 8: fewer than the 9 ranks"), "\(tooMany)")
      let kernel = try readMetrics(folder("run/metrics.jsonl"))[0].text("blasKernel")
      if kernel != "Prescott" {
        let words = ["--resume", folder("run"), "--steps", "20", "--quiet"]
        let refused = try run(words, environment: ["OPENBLAS_CORETYPE": "Prescott"])
        #expect(refused.code == 64 && refused.errors.contains("OPENBLAS_CORETYPE=\(kernel)"), "\(refused)")
        let accepted = try run(
          words + ["--accept-other-kernel"], environment: ["OPENBLAS_CORETYPE": "Prescott"])
        #expect(accepted.code == 0, "\(accepted)")
      }
    }

    /// Kills at random moments, resumed at random numbers of ranks; `Tests/kill_drill.py` has the long form.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "no python3"))
    func killDrill() throws {
      try drill(["--kills", "8"])
    }

    /// The same, of runs whose optimizer has a state.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "no python3"))
    func killDrillWithAdam() throws {
      try drill(["--kills", "5", "--only", "--optimizer adam"])
    }

    private func drill(_ words: [String]) throws {
      let outcome = try Child(
        "/usr/bin/python3", [packageFolder + "/Tests/kill_drill.py", "--program", distsgd] + words
      ).wait(limit: 300)
      #expect(outcome.code == 0, "\(outcome)")
      print(outcome.output)
    }
  }
}
