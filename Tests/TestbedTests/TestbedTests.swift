// Jobs on several servers, which launch/testbed makes of network namespaces: same bits as one process.
import Foundation
import Runs
import Testing

/// Serialized: a job of 128 ranks leaves no core for another.
@Suite(.serialized, .enabled(if: Testbed.isPossible, "hosts cannot be made here; see launch/testbed check"))
struct TestbedTests {
  @Test(arguments: [
    ("2x2 --global-batch 128", [0, 0, 1, 1]),
    // Ranks of one server own shards that are not next to each other.
    ("--map-by node 2x2 --global-batch 128 --shards 7", [0, 1, 0, 1]),
    ("3+1 --global-batch 128 --shards 5", [0, 0, 0, 1]),
    ("--map-by node 1+3+1 --model mlp:64,64 --lr 0.05 --sampling replacement", [0, 1, 2, 1, 1]),
    // Shards without examples, and a short last batch.
    ("2x4 --global-batch 3 --examples 10 --lr 0.05", [0, 0, 0, 0, 1, 1, 1, 1]),
  ])
  func equalsOneProcess(words: String, serverOfRank: [Int]) throws {
    let job = try Job(words, steps: 5)
    #expect(job.run["serverOfRank"] as? [Int] == serverOfRank)
    try expectEqual(job, oneProcess(like: job))
  }

  /// The chapter's many servers of many devices.
  @Test func sixteenServersOfEightRanks() throws {
    let job = try Job("16x8 --global-batch 128", steps: 4)
    #expect(job.run["batchArithmetic"] as? String == "global batch 128 = 16 servers × 8 ranks × 1 example")
    #expect(job.run["servers"] as? Int == 16)
    #expect(job.run["hosts"] as? [String] == (1...16).map { "node" + ($0 < 10 ? "0" : "") + "\($0)" })
    #expect(job.run["serverOfRank"] as? [Int] == (0..<128).map { $0 / 8 })
    try expectEqual(job, oneProcess(like: job))
  }

  @Test func passesTheExitCodeOn() throws {
    let result = try Testbed.command("run 2x1 --global-batch 0")
    #expect(result.outcome == .exited(64))
    #expect(result.text.contains("--global-batch 0"))
  }

  /// Hosts that stay, made in a mount namespace of its own: the machine's own testbed is left alone.
  @Test func hostsThatStay() throws {
    let result = try Testbed.shell(
      """
      mount -t tmpfs tmpfs /run && cd "$TESTBED_ROOT"
      launch/testbed up 1 && launch/testbed up 2 && launch/testbed up 2 && launch/testbed status
      launch/testbed on node02 'touch /dev/shm/of-node02; hostname; ls /dev/shm'
      launch/testbed on node01 'ls /dev/shm; cat /sys/class/net/*/address >/dev/null && hostname'
      launch/testbed run 2x1 --steps 2 --quiet --output "$TESTBED_OUTPUT/stay"
      launch/testbed status
      launch/testbed down && launch/testbed status && launch/testbed down
      echo "left: $(ls -d /run/distsgd* /run/netns/* 2>/dev/null || true)"
      """)
    #expect(result.outcome == .exited(0))
    let lines = result.text.split(separator: "\n").filter { !$0.hasPrefix("loss: ") }
    #expect(
      lines == [
        "testbed: 1 hosts are up: node01 (10.88.0.1) to node01 (10.88.0.1)",
        "testbed: 2 hosts are up: node01 (10.88.0.1) to node02 (10.88.0.2)",
        "testbed: there are 2 hosts already; for fewer: launch/testbed down",
        "2 hosts are up: node01 (10.88.0.1) to node02 (10.88.0.2)", "0 processes run on them",
        "node02", "of-node02", "node01",
        "2 hosts are up: node01 (10.88.0.1) to node02 (10.88.0.2)", "0 processes run on them",
        "testbed: removed 2 hosts", "no hosts are up", "testbed: there are no hosts",
        "left: ",
      ], "\(result.text)")
  }

  func oneProcess(like job: Job) throws -> Job {
    try Job(shards: job.run["shards"] as? Int ?? 0, arguments: job.arguments)
  }

  /// Every step's loss and parameters, and the end's.
  func expectEqual(_ job: Job, _ other: Job, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(!job.hashes.isEmpty, sourceLocation: sourceLocation)
    #expect(job.hashes == other.hashes, sourceLocation: sourceLocation)
    #expect(job.losses == other.losses, sourceLocation: sourceLocation)
    #expect(Set(job.hashes).count == job.hashes.count - 1, "the last step's is the end's")
  }
}
