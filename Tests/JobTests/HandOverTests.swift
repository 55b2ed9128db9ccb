// One job takes a run over from another: it waits for the other's last write, and goes on after that.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct HandOverTests {
    private let folder = TemporaryFolder()

    private static let job =
      "--data synthetic:2000,50 --model mlp:128,64 --global-batch 32 --lr 0.001 --shards 4 --log-every 1 --log-hashes --quiet"

    private func arguments(_ more: String) -> [String] {
      (Self.job + " " + more).split(separator: " ").map(String.init)
    }

    private func hasOpen(_ process: pid_t, _ path: String) -> Bool {
      let links = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? []
      return links.contains {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\($0)")) == path
      }
    }

    /// Waits for a condition, as long as both programs run.
    private func wait(_ first: Child, _ second: Child? = nil, until isTrue: () -> Bool) throws {
      for _ in 0..<60_000 where first.isRunning && second?.isRunning != false {
        if isTrue() { return }
        usleep(1_000)
      }
      Issue.record("it does not come to that")
    }

    private func steps() -> [Int] {
      let files = (try? FileManager.default.contentsOfDirectory(atPath: folder("run/checkpoints"))) ?? []
      return files.compactMap { Int($0.dropFirst(5).dropLast(12)) }.sorted()
    }

    /// The first job writes on, checkpoints too, when the second one has long opened the run's files.
    @Test(arguments: [SIGKILL, SIGTERM], [1, 3]) func theLastWriteCounts(_ signal: Int32, _ ranks: Int) throws
    {
      let metrics = folder("run/metrics.jsonl")
      let first = try start(
        ranks: 1, arguments("--epochs 1000000 --checkpoint-every 0.02s --output \(folder("run"))"))
      try wait(first) { !steps().isEmpty }
      let second = try start(
        ranks: ranks, ["--resume", folder("run"), "--quiet", "--checkpoint-every", "1"])
      try wait(first, second) {
        (ranks == 1 ? [second.identifier] : second.children).contains { hasOpen($0, metrics) }
      }
      let (seen, size) = (steps().last ?? 0, try readFile(metrics).utf8.count)
      try wait(first, second) {
        (steps().last ?? 0) > seen && (try? readFile(metrics).utf8.count) ?? 0 > size
      }
      kill(first.identifier, signal)
      let end = first.wait(limit: 60)
      #expect(end.code == (signal == SIGTERM ? 75 : nil) && !end.hung, "\(end)")
      // It goes on: steps that the first one never made.
      let last = try #require(steps().last)
      try wait(second) { (steps().last ?? 0) > last + 3 }
      kill(second.identifier, SIGUSR1)
      let outcome = second.wait(limit: 60)
      #expect(outcome.code == 75, "\(outcome)")
      let step = try #require(steps().last)
      let whole = try run(
        arguments("--epochs 1000000 --steps \(step) --output \(folder("whole"))"))
      try #require(whole.code == 0, "\(whole)")
      #expect(try hashes("run") == hashes("whole"))
    }

    private func hashes(_ run: String) throws -> [String] {
      try readMetrics(folder("\(run)/metrics.jsonl")).filter { $0.name == "step" }.map {
        "\(Int($0.number("step"))) \($0.text("parameterHash"))"
      }
    }
  }
}
