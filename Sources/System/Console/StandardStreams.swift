// The three streams that a process is started with, as somebody may have left them: closed, full, or read by nobody.
import Glibc

package enum StandardStreams {
  /// Opens those that are closed, on nothing: else the next file would get the number of one of them, and what is
  /// printed would land in it. The first thing that a program does.
  ///
  /// A file that may not grow further becomes an error like a full disk's, and no signal that ends the process.
  package static func makeSafe() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is this one. Without /dev any folder keeps the place, and cannot be written to.
      if open("/dev/null", O_RDWR) < 0 { _ = open("/", O_RDONLY) }
    }
    signal(SIGXFSZ, SIG_IGN)
  }

  /// From now on a pipe that nobody reads any more (`… | head -1`) does not end the process.
  package static func outliveReaders() { signal(SIGPIPE, SIG_IGN) }
}
