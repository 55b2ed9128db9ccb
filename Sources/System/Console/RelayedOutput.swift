// Standard output that a launcher passes on: mpirun reads what a rank prints and writes it where its own output goes, and
// when that cannot be done it drops the text and tells nobody. So the rank looks there itself, before it prints.
import Glibc
import Synchronization

package enum RelayedOutput {
  /// From now on results count as written only where the launcher's own standard output takes them: a file on a disk
  /// with room, or a device that is not full. For the rank that prints, once; one whose launcher is on another machine
  /// sees no further than the launcher's daemon here.
  package static func watch() {
    guard let own = target(of: getpid()), own.hasPrefix("/dev/pts/") || own.hasPrefix("pipe:"),
      let launcher = launcher(behind: own)
    else { return }
    let path = "/proc/\(launcher)/fd/\(STDOUT_FILENO)"
    var status = stat()
    // Of a pipe another end would keep its reader waiting; a terminal has nothing to tell.
    guard stat(path, &status) == 0, [S_IFREG, S_IFCHR].contains(status.st_mode & S_IFMT) else { return }
    let descriptor = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    if isatty(descriptor) != 0 {
      close(descriptor)
    } else {
      state.withLock { $0 = State(descriptor: descriptor, firstSize: Int(status.st_size)) }
    }
  }

  /// Whether the launcher will find room for `count` more bytes: an error number, or 0.
  static func problem(with count: Int) -> Int32 {
    state.withLock { state in
      guard state.descriptor >= 0 else { return 0 }
      var status = stat()
      guard fstat(state.descriptor, &status) == 0 else { return 0 }
      if status.st_mode & S_IFMT == S_IFCHR {
        return write(state.descriptor, "", 0) < 0 && [ENOSPC, EIO].contains(errno) ? errno : 0
      }
      // What is on its way from here has no place in the file yet.
      let size = Int(status.st_size)
      let length = max(0, state.relayed - (size - state.firstSize)) + count
      var limit = rlimit()
      if getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
        size + length > Int(clamping: limit.rlim_cur)
      {
        return EFBIG
      }
      var disk = statvfs()
      if fstatvfs(state.descriptor, &disk) == 0, disk.f_frsize > 0, disk.f_blocks > 0 {
        let block = Int(disk.f_frsize)
        let free = Int(clamping: geteuid() == 0 ? disk.f_bfree : disk.f_bavail).multipliedReportingOverflow(
          by: block)
        // The last block may have room where the disk has none.
        if !free.overflow, length > free.partialValue + (block - size % block) % block { return ENOSPC }
      }
      state.relayed += count
      return 0
    }
  }

  private struct State {
    var descriptor: Int32 = -1
    /// The file's bytes at the start.
    var firstSize = 0
    /// Bytes that were given to the launcher.
    var relayed = 0
  }

  private static let state = Mutex(State())

  /// The nearest process above this one whose standard output is another than `own`.
  private static func launcher(behind own: String) -> pid_t? {
    var process = getppid()
    for _ in 0..<16 where process > 1 {
      guard let output = target(of: process) else { return nil }
      if output != own { return process }
      guard let parent = parent(of: process) else { return nil }
      process = parent
    }
    return nil
  }

  /// Where a process's standard output goes.
  private static func target(of process: pid_t) -> String? {
    withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { buffer in
      let count = readlink(
        "/proc/\(process)/fd/\(STDOUT_FILENO)", buffer.baseAddress!.assumingMemoryBound(to: CChar.self),
        buffer.count)
      return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
    }
  }

  private static func parent(of process: pid_t) -> pid_t? {
    guard let file = try? FileBytes("/proc/\(process)/status", takesPipe: false) else { return nil }
    return withExtendedLifetime(file) {
      let words = String(decoding: file.bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      return words.firstIndex(of: "PPid:").flatMap { pid_t(words[$0 + 1]) }
    }
  }
}
