// Several servers, played by this machine: mpirun starts a daemon a "host" through a stand-in for ssh, so that
// ranks of different hosts share no memory and talk by messages. It needs nothing that mpirun does not; the
// testbed's tests go further, with a network between hosts.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct ServerTests {
    private let folder = TemporaryFolder()

    /// Arguments of mpirun that place ranks on played hosts, such as `["a:2", "b:1"]`.
    /// - Parameter ahead: seconds by which the clock of `b` is ahead of the others'.
    private func placement(_ hosts: [String], mapping: String = "slot", ahead: Int = 0) throws -> [String] {
      // The stand-in is called as ssh: the host, then a command line.
      let agent = try folder.write(
        """
        #!/bin/sh
        host=$1
        shift
        if [ "$host" = b ] && [ \(ahead) != 0 ]; then
          exec unshare --uts --time --monotonic \(ahead) sh -c "hostname $host; $*"
        fi
        # A host name of its own keeps the daemons' files apart where that is allowed.
        if unshare --uts true 2>/dev/null; then
          exec unshare --uts sh -c "hostname $host; $*"
        fi
        exec sh -c "$*"

        """, to: "agent")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: agent)
      return [
        "--host", hosts.joined(separator: ","), "--map-by", mapping, "-mca", "plm_rsh_agent", agent, "-mca",
        "btl",
        "tcp,self,vader", "-mca", "btl_tcp_if_include", "lo",
      ]
    }

    @Test func standardInputReachesOneServerAlone() throws {
      let child = try Child(
        "mpirun",
        try placement(["a:1", "b:1"]) + ["-np", "2", distsgd, "--data", "-", "--output", folder("piped")],
        environment: mpiEnvironment)
      let outcome = child.wait(limit: 60)
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(
        outcome.errors.contains("standard input reaches rank 0 alone, and this job has 2 servers"),
        "\(outcome)")
    }

    @Test(
      "same bits on several servers",
      arguments: [
        (["a:2", "b:2"], "slot"), (["a:2", "b:2"], "node"), (["a:1", "b:3"], "slot"),
        (["a:1", "b:2", "c:1"], "slot"),
      ], ["linear", "mlp", "norms"])
    func sameBits(_ place: (hosts: [String], mapping: String), _ model: String) throws {
      let classes = try folder.writeClasses()
      let arguments =
        ["--shards", "8"]
        + (model == "linear"
          ? ["--global-batch", "96", "--epochs", "1"]
          : ["--data", classes, "--model", "mlp:64,32", "--global-batch", "7", "--steps", "25"])
        + (model == "norms" ? ["--optimizer", "lamb", "--clip-norm", "0.5"] : [])
      let expected = try train(ranks: 1, arguments)
      let output = folder("run")
      let child = try Child(
        "mpirun",
        try placement(place.hosts, mapping: place.mapping) + ["-np", "4", distsgd] + arguments
          + ["--log-every", "1", "--log-hashes", "--output", output], environment: mpiEnvironment)
      let outcome = child.wait(limit: 120)
      try #require(outcome.code == 0, "\(outcome)")
      let trace = try Trace(output + "/metrics.jsonl")
      let isEqual = trace == expected
      #expect(isEqual, "differs at \(trace.firstDifference(from: expected))")
      let run = try #require(try readMetrics(output + "/metrics.jsonl").first)
      #expect(
        run.number("servers") == Double(place.hosts.count), "the hosts must count as servers: \(outcome)")
      if place.hosts == ["a:2", "b:2"] && model == "linear" {
        #expect(
          outcome.output.hasPrefix(
            "global batch 96 = 2 servers × 2 ranks × 24 examples\n8 shards: the same bits on 1 to 8 ranks\n"))
      }
    }

    /// What happens on several servers is told in one time, although one's clock is twenty minutes ahead; and the rank that
    /// has all of them wait is named, not those that wait on its server.
    @Test(arguments: [1, 3]) func clocksOfServersAreCompared(_ late: Int) throws {
      let mayShift =
        try Child("unshare", ["--uts", "--time", "--monotonic", "5", "true"]).wait(limit: 10).code == 0
      if !mayShift {
        print("no clock of its own for a server: this system gives no time namespaces, so that is not tested")
      }
      let child = try Child(
        "mpirun",
        try placement(["a:2", "b:2"], ahead: mayShift ? 1_234 : 0) + [
          "-np", "4", distsgd, "--data", "synthetic:20000,30", "--model", "mlp:64,32", "--steps", "600",
          "--inject", "slow:rank=\(late),factor=40", "--trace", folder("trace.json"), "--trace-steps",
          "50:60",
          "--output", folder("run"),
        ], environment: mpiEnvironment)
      let outcome = child.wait(limit: 120)
      try #require(outcome.code == 0, "\(outcome)")
      let trace = try ReadTrace(folder("trace.json"))
      trace.expectWhole(ranks: 4, steps: 50...60)
      #expect(Set(trace.events.map(\.process)) == [1, 2])
      #expect(trace.events.allSatisfy { !($0.start > 60e6) }, "some minutes apart")
      #expect(
        outcome.output.contains("time:   rank \(late) on \(late < 2 ? "a" : "b") was last in "), "\(outcome)")
      // Both ranks of the other server, and the one beside it, have waited for it.
      let waits = try readRows(folder("run/waits.csv")).filter {
        $0["for_rank"] == "\(late)" && $0["rank"] != "\(late)"
      }
      #expect(Set(waits.compactMap { $0["rank"] }).count == 3, "\(waits)")
    }

    /// An error on one server ends the ranks of all.
    @Test func anErrorEndsAllServers() throws {
      let child = try Child(
        "mpirun",
        try placement(["a:2", "b:2"]) + [
          "-np", "4", distsgd, "--lr", "100", "--epochs", "1000", "--output", folder("run"),
        ],
        environment: mpiEnvironment)
      let outcome = child.wait(limit: 60)
      #expect(!outcome.hung && outcome.code == 76 && outcome.errorLines.count == 1, "\(outcome)")
    }
  }
}
