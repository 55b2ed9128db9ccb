// Text for a person: results on standard output, progress and warnings on standard error. Whatever names it has in it,
// the terminal shows them and obeys none; a name within lines of ours is to be made `visible` first, for it may have
// lines of its own.
import Glibc
import Text

/// Writes a line of results, or several.
public func standardOutput(_ text: String) {
  let text = visible(text, keepsLines: true)
  writeText(text.hasSuffix("\n") ? text : text + "\n", to: STDOUT_FILENO)
}

/// Writes a line of warnings.
public func standardError(_ text: String) { writeText(visible(text) + "\n", to: STDERR_FILENO) }

/// Writes progress as it is, unless it would have to wait for somebody to read: training does not. An mpirun that has been
/// told to stop reads nothing more, and a rank that waited for it could not write its last checkpoint.
func standardProgress(_ text: String) {
  var stream = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
  if poll(&stream, 1, 0) == 1, stream.revents & Int16(POLLOUT) != 0 { writeText(text, to: STDERR_FILENO) }
}

/// Writes results that are data of their own, such as predictions.
/// - Throws: `DistsgdError` (`inputOutput`), for example when the disk is full.
public func writeResult(_ text: String) throws {
  var text = visible(text, keepsLines: true)
  try text.withUTF8 { try writeAll(UnsafeRawBufferPointer($0), to: STDOUT_FILENO, path: "standard output") }
}

/// Unbuffered, so that both streams keep their order; a terminal that is gone is no reason to stop training.
private func writeText(_ text: String, to descriptor: Int32) {
  var text = text
  text.withUTF8 { try? writeAll(UnsafeRawBufferPointer($0), to: descriptor, path: "terminal") }
}
