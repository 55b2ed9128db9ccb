// `distsgd doctor` on this machine: alone, as a job, in a namespace with a bridge; and every command that it prints works.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct DoctorTests {
    private let folder = TemporaryFolder()

    private struct Found: Decodable {
      struct Finding: Decodable {
        var level: String
        var subject: String
        var text: String
        var command: String?
      }
      var ranks: Int
      var hosts: [String]
      var faults: Int
      var warnings: Int
      var findings: [Finding]

      func finding(_ subject: String) -> Finding? { findings.first { $0.subject == subject } }
    }

    private func found(_ outcome: Outcome) throws -> Found {
      let line = try #require(outcome.output.split(separator: "\n").last { $0.hasPrefix("{") }, "\(outcome)")
      return try JSONDecoder().decode(Found.self, from: Data(line.utf8))
    }

    /// A user's shell in which nobody has prepared anything, and where the program is on PATH.
    private func shell(_ line: String) throws -> Outcome {
      var environment = mpiEnvironment.mapValues { _ in nil as String? }
      environment["OPENBLAS_CORETYPE"] = nil as String?
      let bin = (distsgd as NSString).deletingLastPathComponent
      environment["PATH"] = "\(bin):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"
      return try Child("bash", ["-c", line], environment: environment, directory: folder.path).wait(
        limit: 120)
    }

    private static let isRoot = geteuid() == 0
    private static let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)

    @Test func whatThisMachineLacksAndHowItIsMended() throws {
      let ranks = 4 * Self.cores
      let first = try shell("distsgd doctor --json --ranks \(ranks)")
      let before = try found(first)
      #expect(first.code == (before.faults > 0 ? 1 : 0), "\(first)")
      #expect(before.finding("slots")?.level == "fault", "\(first)")
      #expect(before.finding("root")?.level == (Self.isRoot ? "fault" : "ok"), "\(first)")
      #expect(before.finding("cores")?.level == "warning", "\(first)")
      let blas = try #require(before.finding("BLAS"))
      #expect(blas.text.contains("OpenBLAS") && blas.text.contains("kernel"), "\(blas)")
      // The job that it started.
      #expect(before.finding("MPI")?.text.contains("MPI_THREAD_") == true, "\(first)")
      #expect(before.finding("reduction")?.text.contains("every sum is right") == true, "\(first)")

      // What was printed, given to a shell as it is.
      let commands = before.findings.compactMap(\.command)
      let settings = commands.filter { $0.hasPrefix("export ") || $0.hasPrefix("unset ") }
      let others = commands.filter { !settings.contains($0) }
      let script = settings.joined(separator: "\n")
      let refused = try shell("mpirun -np \(ranks) distsgd --quiet --output before")
      #expect(refused.code != 0 && !FileManager.default.fileExists(atPath: folder("before")), "\(refused)")
      let job = try shell(script + "\nmpirun -np \(ranks) distsgd --shards \(ranks) --quiet --output after")
      #expect(
        job.code == 0 && FileManager.default.fileExists(atPath: folder("after/model.safetensors")), "\(job)")
      for (number, command) in others.enumerated() where command.contains("distsgd") {
        let outcome = try shell("\(script)\n\(command) --quiet --output other\(number)")
        #expect(outcome.code == 0, "\(command): \(outcome)")
      }
      let second = try shell(script + "\ndistsgd doctor --json --ranks \(ranks)")
      let after = try found(second)
      #expect(second.code == 0 && after.faults == 0, "\(second)")
      for subject in Set(before.findings.filter { settings.contains($0.command ?? "") }.map(\.subject)) {
        #expect(after.finding(subject)?.level == "ok", "\(subject): \(second)")
      }
    }

    @Test(arguments: [1, 2, 3, 4, 8]) func asAJob(_ ranks: Int) throws {
      let outcome = try Child(
        "mpirun", ["-np", "\(ranks)", distsgd, "doctor", "--json"], environment: mpiEnvironment
      ).wait(limit: 120)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.output.split(separator: "\n").count == 1, "\(outcome)")
      let report = try found(outcome)
      #expect(report.ranks == ranks && report.hosts.count == 1)
      #expect(report.finding("MPI")?.text.contains("MPI_THREAD_") == true, "\(outcome)")
      #expect(report.finding("binding")?.level == "ok", "\(outcome)")
      if ranks > 1 {
        #expect(report.finding("reduction")?.text.contains("over \(ranks) ranks: every sum is right") == true)
        #expect(report.finding("distsgd")?.text.contains("version 0.") == true, "\(outcome)")
      }
    }

    /// `srun` without PMI: the first task tells, all end with 1.
    @Test func tasksThatCannotFindEachOther() throws {
      for task in 0..<4 {
        let outcome = try run(
          ["doctor"], environment: ["SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "\(task)"])
        #expect(outcome.code == 1 && outcome.errors.isEmpty, "\(outcome)")
        let isTold = outcome.output.contains("mend it by:  srun --mpi=pmix --ntasks=4 ")
        #expect(isTold == (task == 0) && outcome.output.isEmpty == (task != 0), "\(outcome)")
      }
    }

    @Test(arguments: ["OMPI_MCA_btl_tcp_if_include=eth0", "TMPDIR=/proc/nowhere"]) func inALine(
      _ word: String
    )
      throws
    {
      let outcome = try shell("\(word) distsgd doctor --ranks 1")
      let lines = outcome.output.split(separator: "\n")
      #expect(outcome.code == 1 || !Self.isRoot && word.hasPrefix("OMPI"), "\(outcome)")
      #expect(lines.dropLast().allSatisfy { ["ok", "warning", "fault"].contains($0.prefix { $0 != " " }) })
      if word.hasPrefix("TMPDIR") {
        #expect(
          outcome.output.contains("fault    session        MPI keeps its session in /proc/nowhere")
            && outcome.output.contains("export TMPDIR="), "\(outcome)")
      }
    }

    @Test func ranksOutOfRange() throws {
      let outcome = try run(["doctor", "--ranks", "0"])
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
    }

    /// A network of its own, with a bridge as Docker makes it; nil where this system lets nobody make one.
    private static let network: String? = {
      let script =
        "ip link set lo up && ip link add docker0 type bridge && ip addr add 172.17.0.1/16 dev docker0 && ip link set docker0 up && ip link add eth0 type bridge && ip addr add 10.9.0.1/24 dev eth0 && ip link set eth0 up"
      let words = geteuid() == 0 ? ["--net"] : ["--user", "--map-root-user", "--net"]
      let outcome = try? Child("unshare", words + ["sh", "-ec", script]).wait(limit: 20)
      guard outcome?.code == 0 else { return nil }
      return "unshare \(words.joined(separator: " ")) bash -ec '\(script); \"$0\" \"$@\"'"
    }()

    @Test(.enabled(if: network != nil, "this system lets nobody make a network with a bridge"))
    func aBridgeOfDocker() throws {
      let start = try #require(Self.network)
      let outcome = try shell("\(start) distsgd doctor --json --ranks 1")
      let finding = try #require(try found(outcome).finding("network"))
      #expect(finding.level == "warning" && finding.text.contains("docker0 (172.17.0.1)"), "\(outcome)")
      let command = try #require(finding.command)
      #expect(
        command == "export OMPI_MCA_btl_tcp_if_include=eth0 OMPI_MCA_oob_tcp_if_include=eth0", "\(command)")
      // The command works: the finding is gone, and jobs run, over TCP too.
      let mended = try shell("\(command)\n\(start) distsgd doctor --json --ranks 1")
      #expect(try found(mended).finding("network")?.level == "ok", "\(mended)")
      let allowed = mpiEnvironment.compactMap { name, value in value.map { "\(name)=\($0)" } }
      let job = try shell(
        "export \(allowed.joined(separator: " "))\n\(command)\n\(start) mpirun -np 2 --mca btl tcp,self distsgd --quiet --output \(folder("run"))"
      )
      #expect(
        job.code == 0 && FileManager.default.fileExists(atPath: folder("run/model.safetensors")), "\(job)")
    }
  }
}
