// Text for a person: results on standard output, progress and warnings on standard error. Whatever names it has in it,
// the terminal shows them and obeys none; a name within lines of ours is to be made `visible` first, for it may have
// lines of its own.
import Glibc
import Synchronization
import Text

/// Writes a line of results, or several. Training goes on where that cannot be done; `standardOutputFailure` has it at
/// the end.
package func standardOutput(_ text: String) {
  Stages.clear()
  let visibleText = visible(text, keepsLines: true)
  let text = ConsoleStyle.lines(
    visibleText.hasSuffix("\n") ? visibleText : visibleText + "\n", level: "result")
  let number = writeResults(text)
  if number != 0, !isDeserted(STDOUT_FILENO, number) {
    firstFailure.withLock { $0 = $0 ?? writeError("standard output", number) }
  }
}

/// Why results could not be written, for example to a full disk; nil also where nobody reads them any more, who has
/// left of his own will.
package var standardOutputFailure: DistsgdError? { firstFailure.withLock { $0 } }

private let firstFailure = Mutex<DistsgdError?>(nil)

/// Whether the error means that nobody reads: of a pipe, or of a terminal that is gone.
private func isDeserted(_ descriptor: Int32, _ number: Int32) -> Bool {
  var status = stat()
  return number == EPIPE
    || number == EIO && fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR
}

/// Writes a line of warnings.
package func standardError(_ text: String) {
  Stages.clear()
  _ = writeText(ConsoleStyle.line(ofError: visible(text)) + "\n", to: STDERR_FILENO)
}

/// Writes a line of progress, unless it would have to wait.
package func standardNote(_ text: String) {
  standardProgress(ConsoleStyle.lines(visible(text) + "\n", level: "progress"))
}

/// Writes progress as it is, unless it would have to wait for somebody to read: training does not. An mpirun that has been
/// told to stop reads nothing more, and a rank that waited for it could not write its last checkpoint.
package func standardProgress(_ text: String) {
  var stream = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
  if poll(&stream, 1, 0) == 1, stream.revents & Int16(POLLOUT) != 0 {
    _ = writeText(text, to: STDERR_FILENO)
  }
}

/// Writes results that are data of their own, such as predictions.
/// - Throws: `DistsgdError` (`inputOutput`), for example when the disk is full.
package func writeResult(_ text: String) throws {
  let number = writeResults(visible(text, keepsLines: true))
  if number != 0 { throw writeError("standard output", number) }
}

/// Returns the error number, or 0: also what a launcher would have, who passes them on.
private func writeResults(_ text: String) -> Int32 {
  let problem = RelayedOutput.problem(with: text.utf8.count)
  return problem != 0 ? problem : writeText(text, to: STDOUT_FILENO)
}

/// Unbuffered, so that both streams keep their order. Returns the error number, or 0.
private func writeText(_ text: String, to descriptor: Int32) -> Int32 {
  var text = text
  return text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
}
