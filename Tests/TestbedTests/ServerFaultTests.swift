// What happens when something goes wrong on one of several servers, or between them.
import Foundation
import Testing

extension TestbedTests {
  @Suite struct ServerFaultTests {
    private static let forHours = "--epochs 100000000 --global-batch 32 --log-every 1 --quiet"

    private func errors(_ text: String) -> [Substring] {
      text.split(separator: "\n").filter { $0.contains("distsgd: error: ") }
    }

    /// Jobs that end by themselves.
    private func suffer(
      _ words: String, code: Int32?, _ expected: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let result = try Testbed.shell(
        """
        mount -t tmpfs tmpfs /run && cd "$TESTBED_ROOT"
        launch/testbed run \(words) --quiet --output "$TESTBED_OUTPUT/run"
        """)
      #expect(
        code.map { result.outcome == .exited($0) } ?? (result.outcome != .exited(0)), "\(result.text)",
        sourceLocation: sourceLocation)
      let lines = errors(result.text)
      #expect(lines.count == 1, "\(result.text)", sourceLocation: sourceLocation)
      for word in expected {
        #expect(
          lines.first?.contains(word) == true, "\(word): \(result.text)", sourceLocation: sourceLocation)
      }
    }

    @Test func aRankDiesOnAnotherServer() throws {
      try suffer(
        "2x2 --steps 100000 --inject kill:rank=3,step=500", code: nil, "rank 3 on node02", "has died",
        "last seen in step 499")
    }

    @Test func aRankIsStoppedOnAnotherServer() throws {
      try suffer(
        "2x2 --steps 1000000 --timeout 2 --inject stop:rank=3,step=500", code: 70, "rank 3 on node02",
        "does not run any more")
    }

    @Test func aRankIsLateOnAServerOfItsOwn() throws {
      try suffer(
        "3x1 --steps 1000000 --timeout 2 --inject slow:rank=2,factor=1000000", code: 70, "rank 2 on node03",
        "is waited for in vain")
    }

    @Test(arguments: [
      ("2x2", "node01"), ("3x2", "the other servers"), ("4x2 --messages rounds", "the other servers"),
    ])
    func aServerHasOtherParameters(_ placement: String, _ others: String) throws {
      try suffer(
        "\(placement) --model mlp:64,64 --lr 0.01 --steps 100000 --check-every 10 --inject bitflip:rank=2,step=30",
        code: 70, "the server node02 (ranks from 2) has other parameters than \(others) in step 30")
    }

    @Test func aRankOfAnotherServerGoesAnotherWay() throws {
      try suffer(
        "3x2 --steps 100000 --inject desync:rank=5,step=30", code: 70,
        "rank 5 on node03 does not do the same as",
        "in step 30")
    }

    @Test func serversWithOtherData() throws {
      let result = try Testbed.shell(
        """
        mount -t tmpfs tmpfs /run && cd "$TESTBED_ROOT"
        for host in node01 node02; do
          printf '1,2\\n2,3\\n3,5\\n4,%d\\n' ${#host} >"$TESTBED_OUTPUT/$host.csv"
        done
        sed -i 's/4,6/4,7/' "$TESTBED_OUTPUT/node02.csv"
        printf '#!/bin/sh\\nexec %s --data %s/$(hostname).csv "$@"\\n' "$DISTSGD" "$TESTBED_OUTPUT" >"$TESTBED_OUTPUT/program"
        chmod +x "$TESTBED_OUTPUT/program"
        DISTSGD=$TESTBED_OUTPUT/program launch/testbed run 2x2 --global-batch 4 --quiet --output "$TESTBED_OUTPUT/run"
        """)
      #expect(result.outcome == .exited(65), "\(result.text)")
      #expect(
        errors(result.text).count == 1 && result.text.contains("the data on node02 have"), "\(result.text)")
    }

    /// launch/supervise leaves a server out that does not answer any more, and the bits stay.
    @Test func superviseLosesAServer() throws {
      let job =
        "--data synthetic:2000,50 --model mlp:64,32 --global-batch 32 --lr 0.001 --steps 2000 --log-hashes --quiet"
      let result = try Testbed.shell(
        """
        mount -t tmpfs tmpfs /run && cd "$TESTBED_ROOT"
        launch/testbed up 3
        printf '#!/bin/sh\n[ ! -e /run/lost-$1 ] || exit 255\nexec %s/launch/testbed-host "$@"\n' "$PWD" >/run/agent
        chmod +x /run/agent
        export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
        export OMPI_MCA_btl=self,vader,tcp OMPI_MCA_btl_tcp_if_include=eth0 OMPI_MCA_oob_tcp_if_include=eth0
        export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_plm_rsh_agent=/run/agent
        export OMPI_MCA_plm_rsh_no_tree_spawn=1 OMPI_MCA_orte_tmpdir_base=/dev/shm OPENBLAS_NUM_THREADS=1
        (
          for ((i = 0; i < 600; i++)); do
            [ -z "$(ls "$TESTBED_OUTPUT/run/checkpoints" 2>/dev/null)" ] || break
            sleep 0.05
          done
          touch /run/lost-node02
          launch/testbed on node02 'ip link set eth0 down'
        ) &
        launch/testbed on node01 "
          launch/supervise --restarts 3 mpirun -np 6 --host node01:2,node02:2,node03:2 --bind-to none \
            $DISTSGD \(job) --timeout 2 --checkpoint-every 10 --output $TESTBED_OUTPUT/run"
        launch/testbed down --force
        $DISTSGD \(job) --shards 6 --output "$TESTBED_OUTPUT/whole"
        for run in run whole; do
          grep -o '"step":[0-9]*\\|"parameterHash":"[0-9a-f]*"' "$TESTBED_OUTPUT/$run/metrics.jsonl" >"$TESTBED_OUTPUT/$run.trace"
        done
        cmp "$TESTBED_OUTPUT/run.trace" "$TESTBED_OUTPUT/whole.trace" && echo "the same bits"
        """)
      #expect(result.outcome == .exited(0), "\(result.text)")
      #expect(
        result.text.contains("no answer from node02: going on with node01:2,node03:2"), "\(result.text)")
      #expect(result.text.contains("the same bits"), "\(result.text)")
    }

    /// A cable is pulled: the ranks on both sides end, and so does mpirun.
    @Test func aServerIsCutOff() throws {
      let result = try Testbed.shell(
        """
        mount -t tmpfs tmpfs /run && cd "$TESTBED_ROOT"
        launch/testbed up 3
        launch/testbed run 3x2 \(Self.forHours) --timeout 3 --output "$TESTBED_OUTPUT/run" &
        for ((i = 0; i < 300; i++)); do
          [ "$(stat -c %s "$TESTBED_OUTPUT/run/metrics.jsonl" 2>/dev/null || echo 0)" -lt 200000 ] || break
          sleep 0.1
        done
        launch/testbed on node02 'ip link set eth0 down'
        start=$SECONDS code=0
        wait $! || code=$?
        echo "mpirun ended $((SECONDS - start)) s after the cut"
        for ((i = 0; i < 100; i++)); do
          launch/testbed status | grep -q '^0 processes' && break
          sleep 0.1
        done
        launch/testbed status
        launch/testbed down --force
        exit $code
        """)
      #expect(result.outcome != .exited(0), "\(result.text)")
      #expect(errors(result.text).count == 1, "\(result.text)")
      #expect(
        result.text.contains("nothing is heard of the server node02 (ranks from 2) for "), "\(result.text)")
      #expect(result.text.contains("\n0 processes run on them"), "\(result.text)")
      print(result.text.split(separator: "\n").first { $0.contains("after the cut") } ?? "")
    }
  }
}
