// Extreme values for every option of every command, as the parser itself lists them: one line or a result, never a
// trap, a hang, or memory without end.
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

/// What is tried for every option.
private let extremes = [
  "0", "-1", "-0.0", "1", "100000000", "2000000000", "2147483647", "2147483648", "4294967296",
  "1000000000000000",
  "4611686018427387904", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
  "18446744073709551615", "1e308", "1e-320", "1e999", "nan", "-inf", "0x10", "", " ", "1,", "٣",
  String(repeating: "9", count: 400),
]

/// A command with a value for one of its options.
private struct Attempt: Sendable {
  var arguments: [String]
  var directory: String
}

/// A command, and the options that make it short, by their names; one without a name is an argument.
private struct Command {
  let path: [String]
  let base: [(name: String, value: String)]
  let options: [[String]]

  func attempt(_ name: String, _ value: String, in directory: String) -> Attempt {
    // `--resume` takes no folder of its own.
    let others = base.filter { $0.name != name && !($0.name == "output" && name == "resume") }
    return Attempt(
      arguments: path + others.map { $0.name.isEmpty ? $0.value : "--\($0.name)=\($0.value)" } + [
        "--\(name)=\(value)"
      ],
      directory: directory)
  }
}

extension JobTests {
  @Suite struct ExtremeTests {
    private let folder = TemporaryFolder()

    private static let bases: [String: [(name: String, value: String)]] = [
      "train": [("steps", "3"), ("output", "run")],
      "chapter": [("output", "chapter")],
      "sweep": [
        ("global-batch", "100"), ("learning-rate", "0.1"), ("epochs", "1"), ("steps", "3"),
        ("output", "sweep"),
      ],
      "verify": [("ranks", "1"), ("steps", "2")],
      "bench matmul": [("size", "16")],
      "bench noise": [("batches", "1"), ("samples", "2")],
      "bench step": [("rounds", "1")],
      "bench allreduce": [("sizes", "6"), ("rounds", "1")],
      "bench update": [("parameters", "10000")], "schedule": [("steps", "5")],
      "bench gather": [], "bench roofline": [("sizes", "8")],
      "evaluate": [("model", "MODEL"), ("data", "airfoil-like")],
      "predict": [("model", "MODEL"), ("data", "airfoil-like")],
      "report": [("", "RUN"), ("output", "report.html")], "plot": [("", "RUN"), ("output", "plot.svg")],
      "export": [("", "MODEL"), ("output", "export.onnx")],
      "reproduce": [("", "MODEL")], "data list": [], "data show": [("", "airfoil-like")],
      "doctor": [("ranks", "2")], "plan": [("ranks", "1"), ("seconds", "0.1")],
    ]

    /// All commands that do something, and every name of each of their options.
    private func commands() throws -> [Command] {
      let outcome = try run(["--experimental-dump-help"])
      let root = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      let values = ["MODEL": folder("trained/model.safetensors"), "RUN": folder("trained")]
      var found: [Command] = []
      func visit(_ command: [String: Any], _ path: [String]) throws {
        let subcommands = command["subcommands"] as? [[String: Any]] ?? []
        for next in subcommands where next["commandName"] as? String != "help" {
          try visit(next, path + [try #require(next["commandName"] as? String)])
        }
        guard subcommands.isEmpty, !path.isEmpty else { return }
        let arguments = command["arguments"] as? [[String: Any]] ?? []
        let options = arguments.filter { $0["kind"] as? String == "option" }.map { option in
          (option["names"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
        }
        let base = try #require(
          Self.bases[path.joined(separator: " ")], "\(path): say here what makes the command short")
        found.append(
          Command(
            path: path, base: base.map { ($0.name, values[$0.value] ?? $0.value) }, options: options
          ))
      }
      try visit(try #require(root["command"] as? [String: Any]), [])
      return found
    }

    private func fault(_ attempt: Attempt, ranks: Int = 1) throws -> String? {
      try FileManager.default.createDirectory(atPath: attempt.directory, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: attempt.directory) }
      let child = try start(ranks: ranks, attempt.arguments, directory: attempt.directory)
      // What may go on for long is asked to end when it has computed for a while; until then its memory is watched.
      let deadline = ContinuousClock.now + .seconds(ranks == 1 ? 3 : 30)
      var largest = 0
      while child.isRunning, ContinuousClock.now < deadline, processorTicks(child.identifier) < 20 {
        usleep(5_000)
        largest = max(largest, residentKilobytes(child.identifier))
      }
      let isAsked = child.isRunning
      if isAsked { kill(child.identifier, SIGTERM) }
      let outcome = child.wait(limit: 60)
      let words = attempt.arguments.joined(separator: " ").prefix(200)
      if outcome.hung { return "\(words): HUNG" }
      // Those that it has started are its process group.
      if !isGone(-child.identifier) {
        kill(-child.identifier, SIGKILL)
        return "\(words): what it has started goes on without it"
      }
      for sign in ["Fatal error", "crashed", "Illegal instruction", "Segmentation", "Backtrac"]
      where outcome.errors.contains(sign) { return "\(words): \(sign): \(outcome)" }
      if outcome.code == nil && !isAsked { return "\(words): a signal: \(outcome)" }
      // The doctor's findings are its result.
      if attempt.arguments.first == "doctor", outcome.code == 1 { return nil }
      if let code = outcome.code, ![0, 64, 65, 66, 73, 74, 75, 76].contains(code) {
        return "\(words): \(outcome)"
      }
      if let code = outcome.code, code != 0, code != 75, outcome.errorLines.count != 1 {
        return "\(words): not one line: \(outcome)"
      }
      if largest > 3_000_000 { return "\(words): \(largest) kB of memory" }
      return nil
    }

    /// Hundredths of a second, of this process alone.
    private func processorTicks(_ process: pid_t) -> Int {
      guard let stat = try? readFile("/proc/\(process)/stat"), let name = stat.lastIndex(of: ")") else {
        return 0
      }
      // utime and stime, the 14th and 15th field (proc(5)).
      let fields = stat[stat.index(after: name)...].split(separator: " ")
      return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
    }

    private func residentKilobytes(_ process: pid_t) -> Int {
      guard let pages = (try? readFile("/proc/\(process)/statm"))?.split(separator: " ").dropFirst().first
      else {
        return 0
      }
      return (Int(pages) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) / 1024
    }

    @Test func everyOptionOfEveryCommand() throws {
      let trained = try run(["--quiet", "--output", folder("trained")])
      try #require(trained.code == 0, "\(trained)")
      let commands = try commands()
      #expect(Set(commands.map { $0.path.joined(separator: " ") }) == Set(Self.bases.keys))
      var attempts: [Attempt] = []
      for command in commands {
        // Of hosts that are not there mpirun tells, in many lines.
        for names in command.options where names != ["hosts"] {
          for (number, value) in extremes.enumerated() {
            // Values take turns with an option's names.
            let name = names[number % names.count]
            attempts.append(command.attempt(name, value, in: folder("try-\(attempts.count)")))
          }
        }
      }
      #expect(attempts.count > 2_000)
      let all = attempts
      let faults = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: all.count) { number in
        let fault: String?
        do { fault = try self.fault(all[number]) } catch { fault = "\(error)" }
        if let fault { faults.withLock { $0.append(fault) } }
      }
      let found = faults.withLock { $0 }
      #expect(found.isEmpty, "\(found.count) of \(all.count): \(found.prefix(20).joined(separator: "\n"))")
    }

    @Test(arguments: [
      "global-batch", "shards", "micro-batch", "duplicate", "threads", "epochs", "lr", "timeout", "keep",
      "check-every",
    ])
    func onFourRanks(_ option: String) throws {
      for value in ["0", "2147483648", "9223372036854775807", "1e308", "nan"] {
        let attempt = Attempt(
          arguments: ["train", "--steps=3", "--output=run", "--\(option)=\(value)"], directory: folder("try"))
        let fault = try fault(attempt, ranks: 4)
        #expect(fault == nil)
      }
    }

    /// Numbers are decimal, and those that single precision does not hold are told as they were given.
    @Test(arguments: [
      ("0x10", 64, "0x10"), ("1e308", 64, "--learning-rate 1e+308"), ("1e-50", 64, "--learning-rate 1e-50"),
      ("1_0", 64, "1_0"), ("0.1.2", 64, "0.1.2"), (".4", 0, ""), ("4e-1", 0, ""), ("+0.4", 0, ""),
    ])
    func formsOfNumbers(_ form: (text: String, code: Int32, words: String)) throws {
      let outcome = try run(["--lr", form.text, "--quiet", "--output", folder("run")])
      #expect(outcome.code == form.code, "\(outcome)")
      guard form.code == 0 else {
        #expect(outcome.errors.contains(form.words), "\(outcome)")
        return
      }
      #expect(try readMetrics(folder("run/metrics.jsonl")).first?.number("learningRate") == 0.4)
    }

    /// The bench's own learning rate lets no batch diverge.
    @Test(arguments: ["1", "7", "128"]) func benchStepOfAnyBatch(_ batch: String) throws {
      let outcome = try run(["bench", "step", "--global-batch", batch, "--rounds", "5"])
      #expect(outcome.code == 0, "\(outcome)")
    }

    /// Where OpenBLAS's threads get no memory, the process still ends; and while it does, a signal ends it.
    @Test func theEndComes() throws {
      for kilobytes in [150_000, 200_000, 250_000, 300_000] {
        let outcome = try Child(
          "sh",
          [
            "-c",
            "ulimit -v \(kilobytes); exec '\(distsgd)' --steps 5 --quiet --output '\(folder("run\(kilobytes)"))'",
          ],
          environment: mpiEnvironment.merging(["OPENBLAS_NUM_THREADS": "2"]) { $1 }
        ).wait(limit: 30)
        #expect(outcome.code == 0 && outcome.output.hasPrefix("loss: "), "\(kilobytes): \(outcome)")
      }
    }
  }
}
