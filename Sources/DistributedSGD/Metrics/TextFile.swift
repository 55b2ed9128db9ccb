// A text file that grows: every append is on its way to the disk when it returns.
import Glibc

final class TextFile {
  let path: String
  private let descriptor: Int32
  /// Bytes in the file.
  private(set) var size = 0

  /// - Throws: `DistsgdError` (`cannotCreate`) also when the file is already there.
  init(creating path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw DistsgdError(
        .cannotCreate,
        "--output: cannot create '\(path)': \(errorText(errno)); name a folder that can be written to"
      )
    }
  }

  /// Goes on with a file that is there.
  /// - Throws: `DistsgdError` (`noInput`).
  init(continuing path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DistsgdError(
        .noInput, "--resume: cannot open '\(path)': \(errorText(errno)); name the folder of a run")
    }
    measure()
  }

  deinit { close(descriptor) }

  /// Takes the file for this process until it ends; false where another one has it. File systems that know no
  /// locks always give it. The size is found anew: the one who had the file may have written until now.
  func lock() -> Bool {
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else { return false }
    measure()
    return true
  }

  /// Whether the file is still the one that has its name.
  var isInPlace: Bool {
    var (own, named) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && lstat(path, &named) == 0
      && own.st_dev == named.st_dev && own.st_ino == named.st_ino
  }

  private func measure() {
    var status = stat()
    if fstat(descriptor, &status) == 0 { size = Int(status.st_size) }
  }

  /// Forgets what stands behind the first `count` bytes.
  /// - Throws: `DistsgdError` (`inputOutput`).
  func truncate(to count: Int) throws {
    guard ftruncate(descriptor, off_t(count)) == 0 else {
      throw DistsgdError(.inputOutput, "cannot shorten '\(path)': \(errorText(errno))")
    }
    size = count
  }

  /// Returns when all that was appended is on the disk. Any thread may call it.
  /// - Throws: `DistsgdError` (`inputOutput`).
  func sync() throws {
    guard fdatasync(descriptor) == 0 || errno == EINVAL else {
      throw DistsgdError(
        .inputOutput, "cannot write '\(path)': \(errorText(errno)); write to another disk")
    }
  }

  /// - Throws: `DistsgdError` (`inputOutput`), for example when the disk is full.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    try requireSpace(for: path)
    try writeAll(bytes, to: descriptor, path: path)
    size += bytes.count
  }

  func append(_ text: String) throws {
    var text = text
    try text.withUTF8 { try append(UnsafeRawBufferPointer($0)) }
  }
}
