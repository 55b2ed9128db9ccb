// launch/supervise on hosts that come and go: the hostfile is read again before each restart. The hosts are played as in
// ServerTests; one that a file says is lost does not answer.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct SuperviseTests {
    private let folder = TemporaryFolder()
    private let agent: String

    init() throws {
      agent = try folder.write(
        """
        #!/bin/sh
        host=$1
        shift
        [ ! -e '\(folder.path)'/lost-$host ] || exit 255
        if unshare --uts true 2>/dev/null; then
          exec unshare --uts sh -c "hostname $host; $*"
        fi
        exec sh -c "$*"

        """, to: "agent")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: agent)
    }

    private var environment: [String: String?] {
      mpiEnvironment.merging([
        "SLURM_JOB_ID": nil, "OMPI_MCA_plm_rsh_agent": agent, "OMPI_MCA_btl": "tcp,self,vader",
        "OMPI_MCA_btl_tcp_if_include": "lo",
      ]) { $1 }
    }

    private static let job =
      "--data synthetic:2000,50 --model mlp:64,32 --global-batch 32 --lr 0.001 --log-hashes --log-every 100"

    private var words: [String] { Self.job.split(separator: " ").map(String.init) + ["--quiet"] }

    /// - Parameter more: of the environment.
    private func supervise(
      _ options: [String], _ command: [String], _ more: [String: String] = [:]
    ) throws -> Child {
      try Child(
        packageFolder + "/launch/supervise",
        options + command + words + [
          "--epochs", "100000", "--checkpoint-every", "0.1s", "--output", folder("run"),
        ], environment: environment.merging(more) { $1 })
    }

    private var lastStep: Int {
      let files = (try? FileManager.default.contentsOfDirectory(atPath: folder("run/checkpoints"))) ?? []
      return files.compactMap { Int($0.dropFirst(5).prefix { $0.isNumber }) }.max() ?? 0
    }

    /// Returns when there is a newer checkpoint than of this step.
    private func waitForProgress(_ child: Child, after step: Int) throws {
      for _ in 0..<90_000 where child.isRunning && lastStep <= step { usleep(1_000) }
      try #require(lastStep > step, "no checkpoint after step \(step)")
    }

    /// The launcher dies, and its ranks with it.
    private func fail(_ child: Child) {
      let launchers = child.children
      let below = launchers.flatMap(processes(startedBy:))
      for process in launchers { kill(process, SIGKILL) }
      for process in below { #expect(isGone(process)) }
    }

    private func write(hosts: String) throws { _ = try folder.write(hosts, to: "hosts") }

    /// The steps' hashes are those of a run that nobody disturbed, to the end that this one was told to come to.
    private func expectSameBits(shards: Int) throws {
      let end = lastStep + 100
      let resumed = try run(["--resume", folder("run"), "--steps", "\(end)", "--quiet"])
      try #require(resumed.code == 0, "\(resumed)")
      let whole = try run(
        words + [
          "--shards", "\(shards)", "--epochs", "100000", "--steps", "\(end)", "--output", folder("whole"),
        ])
      try #require(whole.code == 0, "\(whole)")
      let (one, other) = (try Trace(folder("run/metrics.jsonl")), try Trace(folder("whole/metrics.jsonl")))
      let isSame = one == other
      #expect(isSame, "\(one.firstDifference(from: other))")
    }

    /// In how many ranks an epoch's rows are.
    private func ranksOfLastEpoch() throws -> Int {
      let rows = try readFile(folder("run/ranks.csv")).split(separator: "\n").dropFirst().map {
        $0.split(separator: ",")
      }
      let last = try #require(rows.last?.first)
      return rows.count { $0.first == last }
    }

    @Test(arguments: [
      ["mpirun", "-np", "2", "--hostfile"], ["mpirun", "--hostfile"], [distsgd, "--hostfile"],
    ])
    func theHostfileChanges(_ start: [String]) throws {
      let isOwn = start[0] == distsgd
      try write(hosts: "a slots=2\n")
      let child = try supervise(
        [], start + [folder("hosts")] + (isOwn ? [] : [distsgd]) + ["--shards", "5"])
      try waitForProgress(child, after: 0)
      // Two more, with more places than there are shards.
      try write(hosts: "# now\na slots=2\nb\n c   slots = 3 max_slots=8 # large\n")
      fail(child)
      try waitForProgress(child, after: lastStep)
      let many = try ranksOfLastEpoch()
      // The first has gone for good.
      try write(hosts: "b slots=1\n")
      fail(child)
      try waitForProgress(child, after: lastStep)
      kill(child.identifier, SIGTERM)
      let outcome = child.wait(limit: 120)
      #expect(outcome.code == 75, "\(outcome)")
      for line in [
        "the hosts have changed: going on with a:2,b:1,c:3", "going on with b:1", "restart 2 of 10",
      ] {
        #expect(outcome.errors.contains(line), "\(outcome)")
      }
      #expect(many == 5 || many == 2, "of an epoch before or after the restart")
      try expectSameBits(shards: 5)
    }

    /// A host that does not answer is left out, and is there again when it does.
    @Test func aHostComesBack() throws {
      let child = try supervise([], ["mpirun", "-np", "4", "--host", "a:2,b:2", distsgd])
      try expectToGoOn(child, without: "b", on: "a:2", then: "a:2,b:2", shards: 4)
    }

    /// Nothing in the command names hosts; the environment names a file of them, as under Kubernetes.
    @Test func theDefaultHostfile() throws {
      try write(hosts: "a slots=2\nb slots=1\n")
      let child = try supervise(
        [], ["mpirun", "-np", "3", distsgd], ["OMPI_MCA_orte_default_hostfile": folder("hosts")])
      try expectToGoOn(child, without: "a", on: "b:1", then: "a:2,b:1", shards: 3)
    }

    /// One host does not answer for a while: the job goes on with what is left, and then with all, with the same bits.
    private func expectToGoOn(
      _ child: Child, without host: String, on left: String, then all: String, shards: Int
    ) throws {
      try waitForProgress(child, after: 0)
      let lost = try folder.write("", to: "lost-\(host)")
      fail(child)
      try waitForProgress(child, after: lastStep)
      try FileManager.default.removeItem(atPath: lost)
      fail(child)
      try waitForProgress(child, after: lastStep)
      kill(child.identifier, SIGTERM)
      let outcome = child.wait(limit: 120)
      #expect(outcome.code == 75, "\(outcome)")
      #expect(outcome.errors.contains("no answer from \(host): going on with \(left)\n"), "\(outcome)")
      #expect(outcome.errors.contains("the hosts have changed: going on with \(all)\n"), "\(outcome)")
      try expectSameBits(shards: shards)
    }

    /// `--lost-hosts wait`: until all answer, or the user has enough of it.
    @Test(arguments: [true, false]) func hostsAreWaitedFor(_ comesBack: Bool) throws {
      try write(hosts: "a slots=1\nb slots=1\n")
      let child = try supervise(
        ["--restarts", "3", "--lost-hosts", "wait"],
        ["mpirun", "-np", "2", "--hostfile", folder("hosts"), distsgd])
      try waitForProgress(child, after: 0)
      let lost = try folder.write("", to: "lost-b")
      fail(child)
      let step = lastStep
      usleep(1_500_000)
      #expect(child.isRunning && lastStep == step, "nothing runs meanwhile")
      if comesBack {
        try FileManager.default.removeItem(atPath: lost)
        try waitForProgress(child, after: step)
      }
      kill(child.identifier, SIGTERM)
      let outcome = child.wait(limit: 120)
      #expect(outcome.errors.contains("no answer from b: waiting for it\n"), "\(outcome)")
      #expect(!outcome.errors.contains("going on with a:1\n"), "\(outcome)")
      if comesBack {
        #expect(outcome.code == 75, "\(outcome)")
        try expectSameBits(shards: 2)
      }
    }

    /// One that cannot be read, or is empty while it is written, changes nothing; and who has fewer ranks than places keeps
    /// them.
    @Test func aHostfileThatSaysNothing() throws {
      try write(hosts: "a slots=2\nb slots=2\n")
      let child = try supervise(
        [], ["mpirun", "-np", "2", "--hostfile", folder("hosts"), distsgd, "--shards", "8"])
      try waitForProgress(child, after: 0)
      try write(hosts: "a slots=2\nb slots=2\nc slots=2\n")
      fail(child)
      try waitForProgress(child, after: lastStep)
      kill(child.identifier, SIGTERM)
      let outcome = child.wait(limit: 120)
      #expect(outcome.code == 75 && outcome.errors.contains("going on with a:2,b:2,c:2\n"), "\(outcome)")
      #expect(try ranksOfLastEpoch() == 2)
      try expectSameBits(shards: 8)
    }

    @Test(arguments: [
      (["--restarts", "-1", "true"], "--restarts '-1'"),
      (["--lost-hosts", "forget", "true"], "--lost-hosts 'forget'"),
      (["--lost-hosts"], "--lost-hosts ''"), ([], "there is no command"),
      (["mpirun", distsgd], "no --output"),
      (["--lost-hosts", "\u{1b}[31m\u{9b}\u{202e}é", "true"], "--lost-hosts '?[31m??é'"),
    ]) func mistakes(_ words: [String], _ expected: String) throws {
      for locale in ["C", "C.UTF-8"] {
        let outcome = try Child(
          packageFolder + "/launch/supervise", words,
          environment: environment.merging(["LC_ALL": locale]) { $1 }
        ).wait(limit: 20)
        #expect(
          outcome.code == 64 && outcome.errorLines.count <= 1 && outcome.errors.contains(expected),
          "\(locale): \(outcome)")
      }
    }
  }
}
