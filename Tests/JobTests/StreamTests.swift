// The standard streams as a job may find them: closed, full, or read by nobody; and a command line that is not there.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct StreamTests {
    private let folder = TemporaryFolder()

    private func shell(_ line: String) throws -> Outcome {
      try Child("bash", ["-c", line], environment: mpiEnvironment, directory: folder.path).wait(limit: 120)
    }

    /// What is printed lands in no file of the run.
    @Test(arguments: [">&-", "2>&-", "<&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"], [1, 2])
    func closed(_ streams: String, _ ranks: Int) throws {
      let launch = ranks == 1 ? "" : "mpirun -np \(ranks) "
      let job = "exec \(distsgd) --checkpoint-every 5 --log-every 1 --output run \(streams)"
      let outcome = try shell("\(launch)sh -c '\(job)'")
      #expect(outcome.code == 0, "\(outcome)")
      let events = try readMetrics(folder("run/metrics.jsonl"))
      #expect(events.count { $0.name == "step" } == 24 && events.last?.name == "end")
      let rows = try readFile(folder("run/timings.csv")).split(separator: "\n")
      #expect(rows.count == 1 + 2 * 9 * ranks)
      #expect(rows.allSatisfy { $0.split(separator: ",").count == 11 })
      let resumed = try run(["--resume", folder("run"), "--epochs", "3", "--quiet"])
      #expect(resumed.code == 0, "\(resumed)")
    }

    /// Results that nobody can read are an error; the run's files are whole. What mpirun cannot write it drops, and
    /// the rank that printed it tells.
    @Test(arguments: [
      "--output run", "--quiet --output run", "evaluate MODEL", "evaluate --json MODEL", "predict MODEL",
      "chapter --exercise 1 --output run", "sweep --global-batch 100 --learning-rate 0.1 --output run",
      "bench noise", "verify --ranks 1 --steps 2", "reproduce first/model.safetensors", "--help", "--version",
      "mpirun --output run", "mpirun evaluate MODEL", "mpirun predict MODEL",
      "mpirun chapter --exercise 1 --output run", "mpirun --help",
    ]) func aFullDevice(_ line: String) throws {
      let launch = line.hasPrefix("mpirun ") ? "mpirun -np 2 " : ""
      let words = line.hasPrefix("mpirun ") ? String(line.dropFirst(7)) : line
      let first = try run(["--quiet", "--output", folder("first")])
      try #require(first.code == 0, "\(first)")
      let model = "--data airfoil-like --model first/model.safetensors"
      let outcome = try shell(
        "exec \(launch)\(distsgd) \(words.replacingOccurrences(of: "MODEL", with: model)) > /dev/full")
      #expect(outcome.code == 74 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(
        outcome.errors.contains("cannot write 'standard output': no space left on device"), "\(outcome)")
      if words.hasSuffix("--output run"), words.hasPrefix("--") {
        #expect(try readMetrics(folder("run/metrics.jsonl")).last?.name == "end")
        #expect(FileManager.default.fileExists(atPath: folder("run/model.safetensors")))
      }
    }

    /// A file that may not grow is a full disk, and no signal.
    @Test func aLimitOnFiles() throws {
      let first = try run(["--quiet", "--output", folder("first")])
      try #require(first.code == 0, "\(first)")
      let outcome = try shell(
        "ulimit -f 1; exec \(distsgd) predict --data airfoil-like --model first/model.safetensors > predictions"
      )
      #expect(outcome.code == 74 && outcome.errors.contains("file too large"), "\(outcome)")
    }

    /// Training goes on without a reader. (When that of its errors leaves too, mpirun 4.1 itself crashes at its end.)
    @Test(arguments: [("", ""), ("", "2>&1 "), ("mpirun -np 2 ", "")])
    func aReaderThatLeaves(_ launch: String, _ both: String) throws {
      let outcome = try shell(
        "\(launch)\(distsgd) --epochs 3000 --output run \(both)| head -n 1; exit ${PIPESTATUS[0]}")
      #expect(outcome.code == 0, "\(outcome)")
      #expect(try readMetrics(folder("run/metrics.jsonl")).last?.name == "end")
    }

    @Test func anExperimentsReaderLeaves() throws {
      let outcome = try shell(
        "\(distsgd) chapter --exercise 1 --output run | head -n 1; exit ${PIPESTATUS[0]}")
      #expect(outcome.code == 0, "\(outcome)")
    }

    /// Without any words, not even the program's name, nothing is trained.
    @Test func noCommandLine() throws {
      let launcher = folder("launcher")
      let compiled = try Child("cc", ["-o", launcher, packageFolder + "/Tests/Reference/no_arguments.c"])
        .wait(
          limit: 60)
      try #require(compiled.code == 0, "\(compiled)")
      let outcome = try Child(
        launcher, [], environment: mpiEnvironment.merging(["PROGRAM": distsgd]) { _, new in new },
        directory: folder.path
      ).wait(limit: 60)
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("the program was started without its command line"), "\(outcome)")
      #expect(!FileManager.default.fileExists(atPath: folder("runs")))
    }
  }
}
