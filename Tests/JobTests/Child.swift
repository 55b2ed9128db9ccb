// Programs that tests start: with a time limit, their words caught, and nothing left behind.
import Foundation
import TestSupport
import Text

/// How a program ended and what it said.
struct Outcome: CustomStringConvertible {
  /// Its exit code; nil when a signal ended it.
  var code: Int32?
  /// It was still running at the time limit, and was ended.
  var hung = false
  var seconds: Double
  var output: String
  var errors: String

  /// The lines by which the program tells its errors.
  var errorLines: [String] {
    errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("distsgd: error: ") }
  }

  var description: String {
    let end = hung ? "HUNG" : code.map { "exit \($0)" } ?? "signal"
    return
      "\(end) after \(fixed(seconds, 2)) s; stdout: \(output.suffix(1_500)); stderr: \(errors.suffix(3_000))"
  }
}

private func fixed(_ value: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", value) }

/// Whether a process ends within some seconds; one that has ended may take a moment to be forgotten.
func isGone(_ process: pid_t) -> Bool {
  for _ in 0..<5_000 {
    if kill(process, 0) != 0 { return true }
    usleep(2_000)
  }
  return false
}

/// The processes that another one has started and that are still there.
func processes(startedBy parent: pid_t) -> [pid_t] {
  let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
  return entries.compactMap(pid_t.init).filter { process in
    guard let stat = try? readFile("/proc/\(process)/stat"), let name = stat.lastIndex(of: ")") else {
      return false
    }
    let fields = stat[stat.index(after: name)...].split(separator: " ")
    return fields.count > 1 && fields[0] != "Z" && pid_t(fields[1]) == parent
  }.sorted()
}

/// A running program, the leader of its own process group.
final class Child {
  let identifier: pid_t
  private let folder = TemporaryFolder()
  private let start = ContinuousClock.now
  private var status: Int32?

  struct SpawnError: Error { let code: Int32 }

  /// - Parameters:
  ///   - program: a path, or a name looked for in $PATH.
  ///   - environment: changes to this process's environment; nil takes a variable away.
  ///   - directory: where it runs; here, if nil.
  init(
    _ program: String, _ arguments: [String], environment: [String: String?] = [:], directory: String? = nil
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
    // The threads that run tests block signals, and a child would inherit that.
    var mask = sigset_t()
    sigemptyset(&mask)
    posix_spawnattr_setsigmask(&attributes, &mask)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for (descriptor, name) in [(1, "stdout"), (2, "stderr")] as [(Int32, String)] {
      posix_spawn_file_actions_addopen(
        &actions, descriptor, folder(name), O_WRONLY | O_CREAT | O_TRUNC, 0o666)
    }
    var variables = ProcessInfo.processInfo.environment
    for (name, value) in environment { variables[name] = value }
    let line = (directory.map { ["env", "-C", $0] } ?? []) + [program] + arguments
    var words: [UnsafeMutablePointer<CChar>?] = line.map { strdup($0) } + [nil]
    var settings: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
    defer { for pointer in words + settings { free(pointer) } }
    var child = pid_t()
    let code = posix_spawnp(&child, line[0], &actions, &attributes, &words, &settings)
    guard code == 0 else { throw SpawnError(code: code) }
    identifier = child
  }

  deinit { if status == nil { end() } }

  /// Whether it has not ended yet.
  var isRunning: Bool {
    guard status == nil else { return false }
    var value: Int32 = 0
    if waitpid(identifier, &value, WNOHANG) == identifier { status = value }
    return status == nil
  }

  /// The processes it has started and that are still there: the ranks, for mpirun.
  var children: [pid_t] { processes(startedBy: identifier) }

  /// Waits for the end, at most `limit` seconds.
  func wait(limit: Double) -> Outcome {
    let deadline = start + .seconds(limit)
    while isRunning && ContinuousClock.now < deadline { usleep(2_000) }
    let hung = isRunning
    let duration = (ContinuousClock.now - start).components
    let seconds = Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
    if hung { end() }
    let isExit = status.map { $0 & 0x7F == 0 } ?? false
    return Outcome(
      code: hung || !isExit ? nil : status.map { ($0 >> 8) & 0xFF }, hung: hung, seconds: seconds,
      output: (try? readFile(folder("stdout"))) ?? "", errors: (try? readFile(folder("stderr"))) ?? "")
  }

  /// Ends it with its group: first so that mpirun can end its ranks, then for good.
  private func end() {
    kill(-identifier, SIGTERM)
    for _ in 0..<2_500 where isRunning { usleep(2_000) }
    if isRunning { kill(-identifier, SIGKILL) }
    while isRunning { usleep(2_000) }
  }
}
