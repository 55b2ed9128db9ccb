// The bytes of one input file, mapped where the file allows it, with errors that say what is wrong with it.
import Glibc
import Text

/// A file's bytes for as long as this object lives.
///
/// Large files are mapped read-only, so they cost page cache and no memory of this process; small ones are read,
/// which is faster, and a pipe is read to its end.
package final class FileBytes {
  let path: String
  package let bytes: UnsafeRawBufferPointer
  /// What is mapped; nil where the bytes are this object's own memory.
  private let mapped: MappedRange?

  /// Files of at most this many bytes are read.
  static let smallSize = 1 << 20

  /// - Parameter takesPipe: whether a pipe will do, which is waited for until somebody writes to it.
  /// - Throws: `noInput` when the file does not exist, is a directory or cannot be opened; `inputOutput` when
  ///   reading it fails.
  package init(_ path: String, takesPipe: Bool = true) throws(DistsgdError) {
    self.path = path
    let name = sourceName(path)
    // With O_NONBLOCK, opening a pipe does not wait for a writer.
    let descriptor =
      path == standardInputPath
      ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
      : open(path, O_RDONLY | O_CLOEXEC | (takesPipe ? 0 : O_NONBLOCK))
    guard descriptor >= 0 else { throw cannotOpen(path, errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw cannotOpen(path, errno) }
    let size = Int(status.st_size)
    switch status.st_mode & S_IFMT {
    case _ where path == standardInputPath && status.st_mode & S_IFMT != S_IFDIR:
      // From where it stands: somebody may have read its beginning.
      (bytes, mapped) = (try readToEnd(descriptor, name, expected: FileBytes.smallSize), nil)
    case S_IFREG where size > FileBytes.smallSize:
      let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
      guard let address, address != MAP_FAILED else {
        throw DistsgdError(.inputOutput, "cannot map \(name): \(errorText(errno))")
      }
      let range = UnsafeRawBufferPointer(start: address, count: size)
      if let watched = MappedRange(range, path: name) {
        madvise(address, size, Int32(MADV_SEQUENTIAL))
        (bytes, mapped) = (range, watched)
      } else {
        munmap(address, size)
        (bytes, mapped) = (try readToEnd(descriptor, name, expected: size), nil)
      }
    case S_IFREG:
      (bytes, mapped) = (try readToEnd(descriptor, name, expected: size), nil)
    case S_IFIFO where takesPipe:
      (bytes, mapped) = (try readToEnd(descriptor, name, expected: FileBytes.smallSize), nil)
    case S_IFDIR:
      throw DistsgdError(.noInput, "\(name) is a directory: name a file in it")
    default:
      throw DistsgdError(
        .noInput, "\(name) is \(takesPipe ? "neither a file nor a pipe" : "no file"): name a data file")
    }
  }

  deinit {
    guard let address = UnsafeMutableRawPointer(mutating: bytes.baseAddress) else { return }
    if let mapped {
      mapped.forget()
      munmap(address, bytes.count)
    } else {
      free(address)
    }
  }
}

/// What stands for standard input where a file can be named.
package let standardInputPath = "-"

/// How messages name a file of the user's.
package func sourceName(_ path: String) -> String {
  path == standardInputPath ? "standard input" : printable(path, limit: 200)
}

/// Whether something with this name exists, and whether it is a regular file.
package enum PathKind { case missing, file, directory, other }

package func pathKind(_ path: String) -> PathKind {
  var status = stat()
  guard stat(path, &status) == 0 else { return .missing }
  switch status.st_mode & S_IFMT {
  case S_IFREG: return .file
  case S_IFDIR: return .directory
  default: return .other
  }
}

/// The file's first `count` bytes (fewer when it is shorter), to tell what kind of file it is.
package func firstBytes(of path: String, count: Int) throws(DistsgdError) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw cannotOpen(path, errno) }
  defer { close(descriptor) }
  var buffer = [UInt8](repeating: 0, count: count)
  let got = pread(descriptor, &buffer, count, 0)
  guard got >= 0 else {
    throw DistsgdError(.inputOutput, "cannot read \(printable(path, limit: 200)): \(errorText(errno))")
  }
  return Array(buffer.prefix(got))
}

/// The last part of a path.
package func baseName(_ path: String) -> String {
  String(path.split(separator: "/", omittingEmptySubsequences: true).last ?? Substring(path))
}

package func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }

/// The value of an environment variable; an empty one counts as unset.
package func environmentValue(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(cString: value)
}

private func cannotOpen(_ path: String, _ code: Int32) -> DistsgdError {
  let name = sourceName(path)
  switch code {
  case ENOENT: return DistsgdError(.noInput, "no such file: \(name)")
  case EACCES:
    return DistsgdError(.noInput, "no permission to read \(name): chmod +r it, or run as its owner")
  default: return DistsgdError(.noInput, "cannot open \(name): \(errorText(code))")
  }
}

/// Reads a pipe or a file into memory of `malloc`, growing it by halves where `expected` bytes are not enough.
private func readToEnd(
  _ descriptor: Int32, _ name: String, expected: Int
) throws(DistsgdError) -> UnsafeRawBufferPointer {
  // One byte more, so that the end is seen without growing.
  var capacity = expected + 1
  var count = 0
  var buffer = malloc(capacity)
  while let memory = buffer {
    let got = read(descriptor, memory + count, capacity - count)
    if got == 0 { return UnsafeRawBufferPointer(start: realloc(memory, max(count, 1)), count: count) }
    if got < 0 {
      if errno == EINTR { continue }
      let code = errno
      free(memory)
      throw DistsgdError(.inputOutput, "cannot read \(name): \(errorText(code))")
    }
    count += got
    if count == capacity {
      capacity += max(capacity / 2, 4_096)
      buffer = realloc(memory, capacity)
      if buffer == nil { free(memory) }
    }
  }
  throw DistsgdError(.inputOutput, "no memory for the contents of \(name)")
}

/// A file's text.
/// - Throws: `DistsgdError`.
package func readText(_ path: String) throws -> String {
  let file = try FileBytes(path)
  return withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
}

/// A path for `mkstemp` and `mkdtemp`, which put letters of their own choice in place of the last six.
package func temporaryTemplate(_ name: String, in folder: String) -> [CChar] {
  Array("\(folder)/\(name)-\(String(repeating: "X", count: 6))".utf8CString)
}
