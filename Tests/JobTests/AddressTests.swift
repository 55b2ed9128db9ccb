// Servers whose only common network is IPv6: two network namespaces and a cable between them, without an IPv4 address.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct AddressTests {
    private let folder = TemporaryFolder()

    private static let hasNamespaces: Bool = {
      let words = [
        "--net", "sh", "-c",
        "ip link add one type veth peer name two && ip -6 address add fd00::1/64 dev one",
      ]
      let isPossible = getuid() == 0 && (try? Child("unshare", words).wait(limit: 20).code) == 0
      if !isPossible {
        print("SKIPPED: AddressTests: no network namespaces with IPv6 here (root, unshare, ip)")
      }
      return isPossible
    }()

    /// A rank each on the hosts `a` and `b`.
    private func job(_ arguments: [String]) throws -> Outcome {
      let script = try folder.write(
        """
        set -e
        ip link set lo up
        unshare --net sleep 200 & a=$!
        unshare --net sleep 200 & b=$!
        trap 'kill $a $b' EXIT
        while [ "$(readlink /proc/$a/ns/net)" = "$(readlink /proc/self/ns/net)" ] ||
          [ "$(readlink /proc/$b/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
        ip link add to_b netns $a type veth peer name to_a netns $b
        nsenter --net=/proc/$a/ns/net sh -ec 'ip link set lo up; ip -6 address add fd00::1/64 dev to_b nodad; ip link set to_b up'
        nsenter --net=/proc/$b/ns/net sh -ec 'ip link set lo up; ip -6 address add fd00::2/64 dev to_a nodad; ip link set to_a up'
        cat >agent <<END
        #!/bin/sh
        host=\\$1
        shift
        network=/proc/$b/ns/net
        [ \\$host = b ] || network=/proc/$a/ns/net
        exec nsenter --net=\\$network unshare --uts sh -c "hostname \\$host; \\$*"
        END
        chmod +x agent
        code=0
        nsenter --net=/proc/$a/ns/net mpirun -np 2 --host a:1,b:1 -mca plm_rsh_agent "$PWD/agent" \\
          -mca oob_tcp_disable_ipv4_family 1 -mca btl_tcp_disable_family 4 -mca btl self,tcp,vader "$@" || code=$?
        exit $code

        """, to: "hosts.sh")
      return try Child(
        "unshare", ["--net", "bash", script, distsgd] + arguments, environment: mpiEnvironment,
        directory: folder.path
      ).wait(limit: 90)
    }

    @Test(.enabled(if: hasNamespaces)) func aJobOverIPv6Alone() throws {
      let words = ["--global-batch", "96", "--shards", "4", "--quiet", "--output"]
      let alone = try run(words + [folder("alone")])
      try #require(alone.code == 0, "\(alone)")
      let apart = try job(words + [folder("apart")])
      try #require(apart.code == 0, "\(apart)")
      let (one, other) = (
        try readMetrics(folder("alone/metrics.jsonl")), try readMetrics(folder("apart/metrics.jsonl"))
      )
      #expect(other.first?.number("servers") == 2)
      #expect(one.last?.text("parameterHash") == other.last?.text("parameterHash"))
    }

    /// Nobody on its server can tell that it has died: the other server hears so from its system, by way of a datagram.
    @Test(.enabled(if: hasNamespaces)) func theOnlyRankOfAServerDies() throws {
      let outcome = try job([
        "--epochs", "100000000", "--log-every", "1000000", "--timeout", "30", "--quiet", "--inject",
        "kill:rank=1,step=100000", "--output", folder("run"),
      ])
      #expect(!outcome.hung && outcome.code != 0, "\(outcome)")
      let line = try #require(outcome.errorLines.first, "\(outcome)")
      #expect(line.contains("rank 1 on b (process ") && line.contains("has died"), "\(outcome)")
    }
  }
}
