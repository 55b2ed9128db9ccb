// What happens when the system refuses memory that nobody has asked `requireMemory` for: a line, not a crash.
import Glibc

/// The standard library ends the process by `abort` when it gets no memory, and nothing can be thrown from there. So
/// the signal's handler does what the program does about any error of one rank alone: it writes the line, and ends the
/// process with the code.
package enum MemoryRefusal {
  /// From now on, for the whole process.
  package static func watch() {
    _ = line
    var action = sigaction()
    action.__sigaction_handler.sa_sigaction = { number, information, context in
      if errno == ENOMEM {
        let line = MemoryRefusal.line
        write(STDERR_FILENO, line.baseAddress, line.count)
        endOfThisProcess?(ExitCode.usage.rawValue)
        _exit(ExitCode.usage.rawValue)
      }
      // Something else is wrong: as if this handler were not there.
      if MemoryRefusal.before.sa_flags & SA_SIGINFO != 0 {
        MemoryRefusal.before.__sigaction_handler.sa_sigaction?(number, information, context)
      }
      signal(SIGABRT, SIG_DFL)
    }
    action.sa_flags = SA_SIGINFO
    sigaction(SIGABRT, &action, &before)
  }

  /// Written before it is needed: there will be no memory for it.
  private nonisolated(unsafe) static let line: UnsafeBufferPointer<CChar> = {
    let text = strdup(
      "distsgd: error: the system refuses more memory (ulimit -v, the control group, or all there is): use fewer rows, a smaller model, or a higher limit\n"
    )!
    return UnsafeBufferPointer(start: text, count: strlen(text))
  }()

  private nonisolated(unsafe) static var before = sigaction()
}
