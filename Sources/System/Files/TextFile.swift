// A text file that grows: every append is on its way to the disk when it returns.
import Glibc

package final class TextFile {
  package let path: String
  private let descriptor: Int32
  private let identity: FileIdentity?
  /// Bytes in the file.
  package private(set) var size = 0
  /// When its place was looked at last.
  private var lastLook = 0.0
  private static let secondsBetweenLooks = 0.1

  /// - Parameter folder: the one that the file is made in, if that is open.
  /// - Throws: `DistsgdError` (`cannotCreate`) also when the file is already there.
  package init(creating path: String, in folder: OpenFolder? = nil) throws {
    self.path = path
    descriptor = openat(
      folder?.descriptor ?? AT_FDCWD, folder == nil ? path : baseName(path),
      O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw DistsgdError(
        .cannotCreate,
        errno == EEXIST
          ? "--output: '\(path)' is already there: it is another run's; name another folder"
          : "--output: cannot create '\(path)': \(errorText(errno)); name a folder that can be written to"
      )
    }
    identity = FileIdentity(of: descriptor)
  }

  /// Goes on with a file that is there. A link may lead to somebody else's, and a pipe would be waited for.
  /// - Throws: `DistsgdError` (`noInput`).
  package init(continuing path: String, in folder: OpenFolder) throws {
    self.path = path
    descriptor = openat(
      folder.descriptor, baseName(path), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    let code = errno
    var status = stat()
    let isOpen = descriptor >= 0 && fstat(descriptor, &status) == 0
    identity = isOpen ? FileIdentity(of: descriptor) : nil
    guard isOpen ? status.st_mode & S_IFMT == S_IFREG : ![ELOOP, ENXIO, EISDIR].contains(code) else {
      throw DistsgdError(
        .noInput,
        "--resume: '\(path)' is a link, a pipe or a folder, and no file that a run wrote; put that in its place"
      )
    }
    guard isOpen else {
      throw DistsgdError(
        .noInput, "--resume: cannot open '\(path)': \(errorText(code)); name the folder of a run")
    }
    measure()
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Takes the file for this process until it ends; false where another one has it. File systems that know no
  /// locks always give it. The size is found anew: the one who had the file may have written until now.
  package func lock() -> Bool {
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else { return false }
    measure()
    return true
  }

  /// Whether the file is still the one that has its name.
  package var isInPlace: Bool { identity != nil && FileIdentity(at: path) == identity }

  /// - Throws: `DistsgdError` (`inputOutput`) when the file, or its folder, is no longer the one that was opened.
  package func requirePlace() throws {
    guard isInPlace else { throw goneError(path) }
  }

  private func measure() {
    var status = stat()
    if fstat(descriptor, &status) == 0 { size = Int(status.st_size) }
  }

  /// Whether the first `count` bytes are there and are whole lines.
  package func hasLines(bytes count: Int) -> Bool {
    guard count > 0, let file = try? FileBytes(path, takesPipe: false) else { return count == 0 }
    return withExtendedLifetime(file) {
      file.bytes.count >= count && file.bytes[count - 1] == UInt8(ascii: "\n")
    }
  }

  /// Forgets what stands behind the first `count` bytes.
  /// - Throws: `DistsgdError` (`inputOutput`).
  package func truncate(to count: Int) throws {
    guard ftruncate(descriptor, off_t(count)) == 0 else {
      throw DistsgdError(.inputOutput, "cannot shorten '\(path)': \(errorText(errno))")
    }
    size = count
  }

  /// Returns when all that was appended is on the disk. Any thread may call it.
  /// - Throws: `DistsgdError` (`inputOutput`).
  package func sync() throws {
    guard fdatasync(descriptor) == 0 || errno == EINVAL else {
      throw DistsgdError(
        .inputOutput, "cannot write '\(path)': \(errorText(errno)); write to another disk")
    }
  }

  /// - Throws: `DistsgdError` (`inputOutput`), for example when the disk is full, or the file is gone.
  package func append(_ bytes: UnsafeRawBufferPointer) throws {
    try requireSpace(for: path)
    let now = monotonicSeconds()
    if now - lastLook > Self.secondsBetweenLooks {
      lastLook = now
      try requirePlace()
    }
    try writeAll(bytes, to: descriptor, path: path)
    size += bytes.count
  }

  package func append(_ text: String) throws {
    var text = text
    try text.withUTF8 { try append(UnsafeRawBufferPointer($0)) }
  }
}

/// A run goes on nowhere when its files are not found where it says they are.
package func goneError(_ path: String) -> DistsgdError {
  DistsgdError(
    .inputOutput,
    "'\(path)' is no longer what this run has opened: it or its folder was removed, moved or replaced; leave a run's folder alone until the run ends, and start it again"
  )
}
