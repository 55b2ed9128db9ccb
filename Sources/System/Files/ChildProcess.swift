// Other programs, run to their end: mpirun, curl.
import CSignals
@preconcurrency import Glibc  // `environ` is a mutable global of C.

/// How a child process ended.
package enum ChildOutcome: Equatable, Sendable {
  /// Its exit code.
  case exited(Int32)
  /// There is no such program.
  case notFound
  /// A signal ended it, or it could not be started.
  case failed

  package var isSuccess: Bool { self == .exited(0) }
}

/// Runs a program to its end, without standard input. What asks this process to end meanwhile asks the program too.
/// - Parameters:
///   - program: a path, or a name looked for in $PATH.
///   - environment: what is set beside this process's own environment.
///   - output: the file that its standard output and standard error go to; they are thrown away without one.
package func runChild(
  _ program: String, _ arguments: [String], environment: [String: String] = [:], output: String? = nil
) -> ChildOutcome {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
  posix_spawn_file_actions_addopen(
    &actions, STDOUT_FILENO, output ?? "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0o666)
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
  var arguments: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
  var variables: [UnsafeMutablePointer<CChar>?] =
    currentEnvironment().merging(environment) { _, new in new }.map { strdup("\($0)=\($1)") } + [nil]
  defer { for pointer in arguments + variables { free(pointer) } }
  var status: Int32 = 0
  let code = csignals_run(program, &actions, &arguments, &variables, &status)
  guard code == 0 else { return code == ENOENT ? .notFound : .failed }
  guard status & 0x7F == 0 else { return .failed }
  let exitCode = (status >> 8) & 0xFF
  return exitCode == 127 ? .notFound : .exited(exitCode)
}

/// The same, and what the program said on both streams; nothing where no folder takes a file for it.
package func hearChild(
  _ program: String, _ arguments: [String], environment: [String: String] = [:]
) -> (outcome: ChildOutcome, words: String) {
  let folders = [environmentValue("TMPDIR") ?? "/tmp", "/tmp", "/var/tmp", "/dev/shm"]
  guard let folder = folders.first(where: { access($0, W_OK | X_OK) == 0 }) else { return (.failed, "") }
  var template = temporaryTemplate("distsgd-words", in: folder)
  let descriptor = mkstemp(&template)
  guard descriptor >= 0 else { return (.failed, "") }
  close(descriptor)
  let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  defer { unlink(path) }
  let outcome = runChild(program, arguments, environment: environment, output: path)
  return (outcome, (try? readText(path)) ?? "")
}

/// This process's environment variables.
package func currentEnvironment() -> [String: String] {
  var variables: [String: String] = [:]
  var next = environ
  while let entry = next.pointee {
    let text = String(cString: entry)
    if let equals = text.firstIndex(of: "=") {
      variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
    }
    next += 1
  }
  return variables
}
