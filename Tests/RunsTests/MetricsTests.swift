// What a run tells: its clock, its folder, its files, and the line about its batch.
import DistributedSGD
import Foundation
import MPI
import Runs
import System
import TestSupport
import Testing

@Suite struct PhaseClockTests {
  private func spend(_ seconds: Double) {
    let end = monotonicSeconds() + seconds
    while monotonicSeconds() < end {}
  }

  /// Every moment between the first mark and the last belongs to one phase.
  @Test func phasesAddUpToWallTime() {
    let clock = PhaseClock()
    clock.mark(.other)
    clock.reset()
    let start = monotonicSeconds()
    for round in 0..<100 {
      for phase in Phase.allCases {
        spend(0.0001 * Double(1 + phase.rawValue % 3))
        clock.mark(phase)
      }
      if round == 50 {
        spend(0.02)
        clock.mark(.evaluate)
      }
    }
    let wall = monotonicSeconds() - start
    let rows = clock.summary()
    let sum = rows.reduce(0) { $0 + $1.seconds }
    #expect(abs(sum - wall) < 0.02 * wall, "phases \(sum) s, wall \(wall) s")
    #expect(rows.map(\.count) == Phase.allCases.map { $0 == .evaluate ? 101 : 100 })
    for (phase, row) in zip(Phase.allCases, rows) {
      let nominal = 0.0001 * Double(1 + phase.rawValue % 3)
      #expect(row.p50 > 0.95 * nominal && row.p50 < 3 * nominal, "\(phase.name): median \(row.p50) s")
      #expect(row.p50 <= row.p99 && row.p99 <= row.maximum * 1.0001, "\(phase.name)")
      #expect(row.mean <= row.maximum && abs(row.mean * Double(row.count) - row.seconds) < 1e-9)
    }
    #expect(rows[Phase.evaluate.rawValue].maximum > 0.019)
    #expect(rows[Phase.evaluate.rawValue].p99 < rows[Phase.evaluate.rawValue].maximum * 1.0001)
  }

  @Test func resetForgets() {
    let clock = PhaseClock()
    spend(0.01)
    clock.mark(.load)
    clock.reset()
    #expect(clock.summary().allSatisfy { $0.count == 0 && $0.seconds == 0 && $0.maximum == 0 && $0.p99 == 0 })
    clock.mark(.reduce)
    let rows = clock.summary()
    #expect(rows[Phase.reduce.rawValue].count == 1 && rows[Phase.load.rawValue].count == 0)
    #expect(rows[Phase.reduce.rawValue].seconds < 0.005, "time before the reset's last mark is gone")
  }

  /// Two phases by turns share the time as they are said to, whatever it was.
  @Test(arguments: [(3, 1), (1, 9), (0, 5), (7, 0)]) func inProportion(_ first: UInt64, _ second: UInt64) {
    let clock = PhaseClock()
    spend(0.001)
    clock.mark(.other)
    clock.reset()
    for _ in 0..<10 {
      spend(0.001)
      clock.mark((.reduce, .update), inProportion: first, second)
    }
    let rows = clock.summary()
    let (reduce, update) = (rows[Phase.reduce.rawValue], rows[Phase.update.rawValue])
    #expect(reduce.count == 10 && update.count == 10 && reduce.seconds + update.seconds > 0.009)
    let share = reduce.seconds / (reduce.seconds + update.seconds)
    #expect(abs(share - Double(first) / Double(first + second)) < 1e-4, "\(share)")
  }

  /// Of several epochs, seconds add up.
  @Test func timingsAddUp() {
    func epoch(_ seconds: Double) -> RankTimings {
      let row = Phase.allCases.map { PhaseSummary(count: 4, seconds: seconds * Double($0.rawValue + 1)) }
      return RankTimings(ranks: [row, row.reversed()])
    }
    var sum = RankTimings(ranks: [])
    for seconds in [0.5, 0.25, 2] { sum.add(epoch(seconds)) }
    let expected = Phase.allCases.map { 2.75 * Double($0.rawValue + 1) }
    #expect(sum.ranks.map { $0.map(\.seconds) } == [expected, expected.reversed()])
  }

  @Test func names() {
    let names = [
      "load", "forward", "backward", "wait", "reduce", "update", "evaluate", "checkpoint", "other",
    ]
    #expect(Phase.allCases.map(\.name) == names)
  }
}

@Suite struct BatchArithmeticTests {
  private func text(_ batch: Int, servers: [Int], shards: Int? = nil) -> String {
    let serverOfRank = servers.enumerated().flatMap { [Int](repeating: $0.offset, count: $0.element) }
    let topology = Topology(serverOfRank: serverOfRank, hosts: servers.indices.map { "host\($0)" })
    let worldSize = serverOfRank.count
    return batchArithmetic(
      globalBatch: batch, shards: Shards(count: shards ?? worldSize, worldSize: worldSize), topology: topology
    )
  }

  @Test func evenBatches() {
    #expect(text(128, servers: [1]) == "global batch 128 = 1 process × 128 examples")
    #expect(text(1, servers: [1]) == "global batch 1 = 1 process × 1 example")
    #expect(text(128, servers: [8]) == "global batch 128 = 8 ranks × 16 examples")
    #expect(text(128, servers: [4, 4]) == "global batch 128 = 2 servers × 4 ranks × 16 examples")
    #expect(
      text(128, servers: [Int](repeating: 8, count: 16))
        == "global batch 128 = 16 servers × 8 ranks × 1 example")
  }

  @Test func unevenBatches() {
    #expect(text(128, servers: [3]) == "global batch 128 = 43 + 43 + 42 examples on 3 ranks")
    #expect(text(3, servers: [8]) == "global batch 3 = 1 + 1 + 1 + 0 + 0 + 0 + 0 + 0 examples on 8 ranks")
    #expect(text(100, servers: [16]) == "global batch 100 = 4 ranks × 7 + 12 ranks × 6 examples")
    #expect(text(128, servers: [2, 1]) == "global batch 128 = 43 + 43 + 42 examples on 3 ranks of 2 servers")
    // 12 ranks share the batch evenly, but not the servers.
    #expect(text(120, servers: [8, 4]) == "global batch 120 = 12 ranks × 10 examples of 2 servers")
  }

  @Test func shardsAreToldWhereTheyAreNotTheRanks() {
    #expect(text(128, servers: [1], shards: 8) == "global batch 128 = 1 process × 128 examples")
    // Two shards of 26 on the first rank, one of 26 and one of 25 … : 5 shards on 3 ranks.
    #expect(
      text(128, servers: [3], shards: 5) == "global batch 128 = 26 + 52 + 50 examples on 3 ranks")
  }
}

@Suite struct OutputFolderTests {
  private let folder = TemporaryFolder()

  /// The code of the error with which the folder cannot be made; the message must name `culprit`.
  private func code(_ path: String, naming culprit: String = "") -> ExitCode? {
    do {
      _ = try OutputFolder(creating: path)
      return nil
    } catch {
      let error = error as? DistsgdError
      #expect(error?.description.contains("--output") == true)
      #expect(error?.description.contains("'\(culprit.isEmpty ? path : culprit)'") == true)
      return error?.code
    }
  }

  @Test func makesParentsAndNamesFiles() throws {
    let path = folder("a/b//c")
    let output = try OutputFolder(creating: path)
    var isFolder: ObjCBool = false
    #expect(
      FileManager.default.fileExists(atPath: folder("a/b/c"), isDirectory: &isFolder) && isFolder.boolValue)
    #expect(output.metrics == path + "/metrics.jsonl")
    #expect(output.timings == path + "/timings.csv")
    #expect(output.model == path + "/model.safetensors")
    #expect(code(path) == nil, "an empty folder is taken")
  }

  @Test func refusesARunThatIsThere() throws {
    try folder.write("{}\n", to: "metrics.jsonl")
    #expect(code(folder.path) == .cannotCreate)
    #expect(try readFile(folder("metrics.jsonl")) == "{}\n", "it is left as it was")
  }

  @Test func refusesAPathBelowAFile() throws {
    let file = try folder.write("x", to: "file")
    #expect(code(file + "/run") == .cannotCreate)
    #expect(code("/proc/no-such-folder/run", naming: "/proc/no-such-folder") == .cannotCreate)
  }
}

@Suite struct MetricsWriterTests {
  private let folder = TemporaryFolder()

  @Test func writesLinesInOrder() throws {
    let writer = try MetricsWriter(path: folder("metrics.jsonl"))
    for step in 1...3_000 {
      var line = JSONLine(event: "step")
      line["step"] = step
      try writer.write(line)
    }
    try writer.flush()
    let lines = try readFile(folder("metrics.jsonl")).split(separator: "\n")
    #expect(lines == (1...3_000).map { "{\"event\":\"step\",\"step\":\($0)}" })
    try writer.flush()
    #expect(try readFile(folder("metrics.jsonl")).split(separator: "\n").count == 3_000, "nothing twice")
  }

  /// A run that ends by an error has told all that it was going to tell.
  @Test func keepsWhatWasWrittenWhenItEnds() throws {
    do {
      let writer = try MetricsWriter(path: folder("metrics.jsonl"))
      try writer.write(JSONLine(event: "step"))
    }
    #expect(try readFile(folder("metrics.jsonl")) == "{\"event\":\"step\"}\n")
  }

  @Test func neverWritesOverAFile() throws {
    let path = try folder.write("precious\n", to: "metrics.jsonl")
    #expect {
      _ = try MetricsWriter(path: path)
    } throws: {
      ($0 as? DistsgdError)?.code == .cannotCreate
    }
    #expect(try readFile(path) == "precious\n")
  }
}
