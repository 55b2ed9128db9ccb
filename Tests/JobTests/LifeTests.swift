// Jobs from start to end: what they print, and what happens when a rank dies.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct LifeTests {
    private let folder = TemporaryFolder()

    private func startLong(ranks: Int, _ output: String) throws -> Child {
      // Enough work for hours.
      try start(
        ranks: ranks,
        ["--epochs", "100000000", "--global-batch", "32", "--log-every", "1", "--output", output])
    }

    /// A killed rank ends the job: nobody waits for it for ever.
    @Test(arguments: [0, 3]) func aKilledRankEndsTheJob(_ rank: Int) throws {
      let output = folder("run\(rank)")
      let child = try startLong(ranks: 4, output)
      var ranks: [pid_t] = []
      for _ in 0..<15_000 where child.isRunning {
        ranks = child.children
        let size =
          (try? FileManager.default.attributesOfItem(atPath: output + "/metrics.jsonl"))?[.size] as? Int ?? 0
        if ranks.count == 4 && size > 10_000 { break }
        usleep(2_000)
      }
      try #require(child.isRunning && ranks.count == 4, "the job is not under way")
      kill(ranks[rank], SIGKILL)
      let killed = ContinuousClock.now
      let outcome = child.wait(limit: 120)
      #expect(!outcome.hung && outcome.code != 0, "\(outcome)")
      let duration = ContinuousClock.now - killed
      #expect(duration < .seconds(30))
      print("killed rank \(rank) of 4: the job ended after \(duration)")
      for process in ranks { #expect(isGone(process), "rank \(process) is still there") }
    }

    /// A file that somebody cuts short while it is read is an error like others, not a crash.
    @Test(arguments: [1, 2]) func aFileCutShortWhileItIsRead(_ ranks: Int) throws {
      let path = try folder.write(
        Array(repeating: Array("1.25,2\n".utf8), count: 10_000_000).flatMap { $0 }, to: "a.csv")
      let child = try start(ranks: ranks, ["--data", path, "--output", folder("cut\(ranks)")])
      func isMapped(by process: pid_t) -> Bool {
        (try? readFile("/proc/\(process)/maps"))?.contains(path) == true
      }
      var isCut = false
      for _ in 0..<30_000 where child.isRunning && !isCut {
        for process in ranks == 1 ? [child.identifier] : child.children {
          // It stands still from the sight to the cut: else it could be done with the file by then.
          guard isMapped(by: process), kill(process, SIGSTOP) == 0 else { continue }
          if isMapped(by: process) { isCut = truncate(path, 4_096) == 0 }
          kill(process, SIGCONT)
        }
        usleep(200)
      }
      let outcome = child.wait(limit: 120)
      try #require(isCut, "the file was not seen in the memory of any rank: \(outcome)")
      #expect(outcome.code == 74, "\(outcome)")
      #expect(outcome.errorLines.count == 1 && outcome.errorLines[0].contains("was cut short"), "\(outcome)")
    }

    @Test(arguments: [1, 2, 4]) func whatAPersonSees(_ ranks: Int) throws {
      let outcome = try run(ranks: ranks, ["--output", folder("run")])
      #expect(outcome.code == 0, "\(outcome)")
      let lines = outcome.output.split(separator: "\n").map(String.init)
      let share = ranks == 1 ? "1 process × 128" : "\(ranks) ranks × \(128 / ranks)"
      #expect(lines.first == "global batch 128 = \(share) examples")
      #expect(
        lines.last?.wholeMatch(of: try Regex(#"loss: 0\.24\d, \d+\.\d{4,} sec/epoch"#)) != nil, "\(outcome)")
      #expect(lines.count { $0.hasPrefix("loss: ") } == 1, "one rank speaks")
      #expect(outcome.output.contains(folder("run")))
      let row = try Regex(#" +\d+  \S+ +[\d. ]+"#)
      let table = lines.filter { $0.wholeMatch(of: row) != nil }
      #expect(table.count == ranks, "a row for every rank: \(outcome)")
      #expect(
        lines.contains { $0.hasPrefix("time:   too short to tell whether a rank is slow") } == (ranks > 1))
      #expect(
        outcome.errors.split(separator: "\n").filter { !$0.hasPrefix("distsgd: warning: ") } == [
          "epoch 1: training loss 0.247", "epoch 2: training loss 0.245",
        ])
      let rows = try readFile(folder("run/timings.csv")).split(separator: "\n").dropFirst()
      #expect(rows.count == 2 * 9 * ranks)
      let places = Set(rows.map { $0.split(separator: ",")[2...3].joined(separator: "/") })
      #expect(places == Set((0..<ranks).map { "\($0)/\($0)" }))
    }

    /// The phases of each rank add up to the same wall time, since all ranks begin and end an epoch together.
    @Test func phasesAddUpOnEveryRank() throws {
      let outcome = try run(
        ranks: 4, ["--epochs", "3", "--duplicate", "40", "--quiet", "--output", folder("run")])
      #expect(outcome.code == 0, "\(outcome)")
      let rows = try readFile(folder("run/timings.csv")).split(separator: "\n").dropFirst().map {
        $0.split(separator: ",").map(String.init)
      }
      let seconds = try readMetrics(folder("run/metrics.jsonl")).filter { $0.name == "epoch" }.map {
        $0.number("seconds")
      }
      for (epoch, training) in zip(2...3, zip(seconds.dropFirst(), seconds).map { $0 - $1 }) {
        let walls = (0..<4).map { rank in
          rows.filter { $0[0] == "\(epoch)" && $0[2] == "\(rank)" }.reduce(0) { $0 + (Double($1[6]) ?? .nan) }
        }
        // An epoch holds its training; evaluation and collection come on top.
        #expect(walls.min()! > 0.95 * training, "epoch \(epoch): \(walls), training \(training)")
        #expect(walls.max()! < 1.5 * walls.min()! + 0.05, "epoch \(epoch): \(walls)")
      }
    }

    @Test func theFolderIsNamedByTheTime() throws {
      let outcome = try run(["--quiet"], directory: folder.path)
      #expect(outcome.code == 0 && outcome.errors == "", "\(outcome)")
      #expect(
        outcome.output.wholeMatch(of: try Regex(#"loss: 0\.24\d, \d+\.\d{4,} sec/epoch\n"#)) != nil,
        "\(outcome)")
      let runs = try FileManager.default.contentsOfDirectory(atPath: folder("runs"))
      #expect(runs.count == 1)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder("runs/\(runs.first ?? "")"))
        .sorted()
      #expect(
        files == [
          "config.yaml", "heatmap.csv", "metrics.jsonl", "model.safetensors", "ranks.csv", "timings.csv",
          "waits.csv",
        ])
    }

    @Test(arguments: ["--version", "--help", "help", "train --help", "verify --help"], [1, 2])
    func helpAndVersion(_ words: String, _ ranks: Int) throws {
      let outcome = try run(ranks: ranks, words.split(separator: " ").map(String.init), limit: 30)
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
      #expect(!outcome.output.isEmpty)
      let first = outcome.output.split(separator: "\n").first ?? ""
      #expect(outcome.output.split(separator: "\n").count { $0 == first } == 1, "once, not once a rank")
    }
  }
}
