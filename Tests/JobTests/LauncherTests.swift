// How a job is started: by another MPI's launcher, on hosts of any name, with ranks that die at once or compute
// otherwise.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct LauncherTests {
    private let folder = TemporaryFolder()

    /// MPICH's `mpiexec -n 2`: each process is a world of one to Open MPI. One tells, both end with 64.
    @Test(arguments: [
      [
        "PMI_SIZE": "2", "PMI_RANK": "RANK", "PMI_FD": "9", "MPI_LOCALNRANKS": "2", "MPI_LOCALRANKID": "RANK",
      ],
      ["MPI_LOCALNRANKS": "2", "MPI_LOCALRANKID": "RANK"],
      ["MV2_COMM_WORLD_SIZE": "2", "MV2_COMM_WORLD_RANK": "RANK"],
    ])
    func anotherMPI(_ words: [String: String]) throws {
      for rank in ["0", "1"] {
        let outcome = try run(
          ["--quiet", "--output", folder("run\(rank)")],
          environment: words.mapValues { $0.replacingOccurrences(of: "RANK", with: rank) })
        #expect(outcome.code == 64, "\(outcome)")
        #expect(outcome.errorLines.count == (rank == "0" ? 1 : 0), "\(outcome)")
        #expect(!FileManager.default.fileExists(atPath: folder("run\(rank)")))
        guard rank == "0" else { continue }
        for word in ["2 processes", "MPICH", "mpirun"] {
          #expect(outcome.errors.contains(word), "\(outcome)")
        }
      }
    }

    /// The job for Kubernetes has fields that the operator knows, and ranks for all places of its workers.
    @Test func kubernetes() throws {
      let check = packageFolder + "/Tests/Kubernetes/check.py"
      guard try Child("python3", ["-c", "import yaml"]).wait(limit: 60).code == 0 else {
        print("SKIPPED: Kubernetes' job is not looked at: python3 has no yaml; apt-get install python3-yaml")
        return
      }
      let outcome = try Child("python3", [check]).wait(limit: 60)
      #expect(outcome.code == 0, "\(outcome)")
      let job = try readFile(packageFolder + "/launch/kubernetes/mpijob.yaml")
      for (right, wrong) in [
        ("backoffLimit", "backofLimit"), ("\"8\"", "8"), ("\"8\"", "\"7\""),
        ("medium: Memory", "medium: RAM"),
        ("claimName", "claim"), ("runAsUser: 1000", "runAsUser: 0"),
        ("  slotsPerWorker: 4", "  slotsPerWorker: 3"),
        ("- name: runs\n                  mountPath", "- name: other\n                  mountPath"),
      ] where job.contains(right) {
        let file = try folder.write(job.replacingOccurrences(of: right, with: wrong), to: "job.yaml")
        #expect(try Child("python3", [check, file]).wait(limit: 60).code == 1, "\(wrong)")
      }
    }

    /// The program starts its own ranks; the same bits as under mpirun, and the exit code is the job's.
    @Test(arguments: ["1", "2", "3", "4", "8", "cores"]) func startsItsOwnRanks(_ ranks: String) throws {
      let environment: [String: String?] = mpiEnvironment.mapValues { _ in nil }
      let alone = try run(["--global-batch", "128", "--quiet", "--output", folder("alone")])
      #expect(alone.code == 0, "\(alone)")
      let expected = try readMetrics(folder("alone/metrics.jsonl")).last?.text("parameterHash")
      for (number, words) in [["--ranks", ranks], ["train", "--ranks=\(ranks)"]].enumerated() {
        let outcome = try run(
          words + ["--global-batch", "128", "--quiet", "--output", folder("\(ranks)-\(number)")],
          environment: environment)
        #expect(outcome.code == 0 && outcome.output.hasPrefix("loss: 0.245"), "\(outcome)")
        let events = try readMetrics(folder("\(ranks)-\(number)/metrics.jsonl"))
        if ranks != "cores" { #expect(Int(events[0].number("ranks")) == Int(ranks)) }
        #expect(events.last?.text("parameterHash") == expected)
      }
      let failed = try run(["--ranks", ranks, "--epochs", "0"], environment: environment)
      #expect(failed.code == 64, "\(failed)")
    }

    @Test(arguments: [
      ("--ranks 0", "--ranks '0'"), ("--ranks", "its value is missing"), ("--ranks many", "'many'"),
      ("--hosts a:0", "'a:0'"), ("--hosts a:2,,b", "''"), ("--hosts -x:2", "'-x:2'"),
      ("--ranks 5 --hosts a:2,b:2", "places for 4"), ("--hosts a --hostfile b", "both say"),
      ("sweep --ranks 1.5", "'1.5'"), ("chapter --hostfile /nowhere", "/nowhere"),
    ]) func startsThatCannotBe(_ words: String, _ expected: String) throws {
      let outcome = try run(words.split(separator: " ").map(String.init))
      #expect(outcome.code == (words.contains("nowhere") ? 66 : 64), "\(outcome)")
      #expect(outcome.errorLines.count == 1 && outcome.errors.contains(expected), "\(outcome)")
    }

    /// A file of options asks for ranks, and the command line for others.
    @Test func ranksOfAFile() throws {
      let file = try folder.write("ranks: 3\nglobal-batch: 30\n", to: "options.yaml")
      for (words, ranks) in [([], 3), (["--ranks", "2"], 2)] as [([String], Int)] {
        let outcome = try run(["--config", file, "--quiet", "--output", folder("file-\(ranks)")] + words)
        #expect(outcome.code == 0, "\(outcome)")
        let event = try #require(try readMetrics(folder("file-\(ranks)/metrics.jsonl")).first)
        #expect(Int(event.number("ranks")) == ranks && Int(event.number("globalBatch")) == 30)
      }
      let missing = try run(["--config", folder("none.yaml")])
      #expect(missing.code == 66 && missing.errorLines.count == 1, "\(missing)")
    }

    /// Ranks start no ranks.
    @Test func ranksWithinRanks() throws {
      let outcome = try run(ranks: 2, ["--ranks", "2"])
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("--ranks starts the ranks itself"), "\(outcome)")
    }

    /// A world of one that was meant to be one, in the same surroundings.
    @Test func oneProcessIsOne() throws {
      let alone = try run(
        ["--quiet", "--output", folder("alone")],
        environment: ["PMI_SIZE": "1", "PMI_RANK": "0", "MPI_LOCALNRANKS": "1", "MPI_LOCALRANKID": "0"])
      #expect(alone.code == 0, "\(alone)")
      let within = try Child(
        "mpirun", ["-np", "1", distsgd, "--quiet", "--output", folder("within")],
        environment: mpiEnvironment.merging(["PMI_SIZE": "2", "PMI_RANK": "1"]) { $1 })
      let outcome = within.wait(limit: 60)
      #expect(outcome.code == 0, "\(outcome)")
    }

    #if arch(x86_64)
      /// Every x86-64 processor runs these two.
      @Test(arguments: [["Nehalem", "Prescott"], ["Prescott", "Nehalem"]])
      func ranksOfDifferentKernels(_ kernels: [String]) throws {
        func job(_ words: [String]) throws -> Outcome {
          let colon = [":"]
          let parts = kernels.map { kernel in
            ["-np", "1", "env", "OPENBLAS_CORETYPE=\(kernel)", distsgd, "--quiet", "--output", folder("run")]
              + words
          }
          return try Child("mpirun", Array(parts.joined(separator: colon)), environment: mpiEnvironment)
            .wait(limit: 60)
        }
        let refused = try job([])
        #expect(refused.code == 64 && refused.errorLines.count == 1, "\(refused)")
        for word in [
          "rank 1", "kernel \(kernels[1])", "rank 0 has \(kernels[0])", "OPENBLAS_CORETYPE=\(kernels[0])",
        ] {
          #expect(refused.errors.contains(word), "'\(word)' is not in: \(refused)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder("run")))
        let accepted = try job(["--accept-other-kernel"])
        #expect(accepted.code == 0, "\(accepted)")
      }
    #endif

    /// The launcher tells the ranks that wait in MPI_Init to end, and tells the user the signal alone.
    @Test func aRankDiesBeforeMPIHasStarted() throws {
      let child = try Child(
        "mpirun",
        [
          "-np", "3", distsgd, "--quiet", "--output", folder("run"), ":", "-np", "1", "sh", "-c",
          "kill -9 $$",
        ],
        environment: mpiEnvironment)
      let outcome = child.wait(limit: 60)
      #expect(outcome.code == 137, "\(outcome)")
      #expect(outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("local rank 3 of 4"), "\(outcome)")
    }

    /// Asked to end by its user while it starts, with all ranks there, the job says nothing of ranks that have died.
    @Test func endedWhileItStarts() throws {
      let child = try Child(
        "mpirun",
        ["-np", "2", distsgd, "--quiet", "--output", folder("run")], environment: mpiEnvironment)
      // Whatever it is at by then.
      usleep(60_000)
      kill(child.identifier, SIGTERM)
      let outcome = child.wait(limit: 60)
      #expect(!outcome.hung && !outcome.errors.contains("has died"), "\(outcome)")
    }

    private static let canNameHosts: Bool = {
      let words = [
        "--user", "--map-root-user", "--uts", "sh", "-c", "echo my_node > /proc/sys/kernel/hostname",
      ]
      return (try? Child("unshare", words).wait(limit: 10).code) == 0
    }()

    /// mpirun on a host whose name has an underscore, by the launchers and by `verify`.
    @Test(.enabled(if: canNameHosts, "this system lets nobody make a host of another name"))
    func hostsOfAnyName() throws {
      func onHost(_ script: String) throws -> Outcome {
        try Child(
          "unshare",
          [
            "--user", "--map-root-user", "--uts", "sh", "-e", "-c",
            "echo my_node_01 > /proc/sys/kernel/hostname; \(script)",
          ], environment: mpiEnvironment.merging(["DISTSGD": distsgd, "OMPI_MCA_regx": nil]) { $1 }
        ).wait(limit: 60)
      }
      let local = try onHost("'\(packageFolder)/launch/local' 2 --quiet --output '\(folder("local"))'")
      #expect(local.code == 0, "\(local)")
      let event = try #require(try readMetrics(folder("local/metrics.jsonl")).first)
      #expect(event.fields["hosts"] as? [String] == ["my_node_01"])
      let supervised = try onHost(
        "'\(packageFolder)/launch/supervise' mpirun -np 2 '\(distsgd)' --quiet --output '\(folder("supervised"))'"
      )
      #expect(supervised.code == 0, "\(supervised)")
      let verified = try onHost("'\(distsgd)' verify --ranks 1,2 --steps 2")
      #expect(verified.code == 0, "\(verified)")
    }
  }
}
