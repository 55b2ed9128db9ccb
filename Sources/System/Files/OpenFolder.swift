// A folder that is held open: files are made, found and removed in this very one, whatever has its name by then.
import Glibc

/// Which file or folder it is (stat(2)), by whatever name.
package struct FileIdentity: Equatable, Sendable {
  private let device: dev_t
  private let number: ino_t

  private init(_ status: stat) {
    device = status.st_dev
    number = status.st_ino
  }

  package init?(of descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  /// - Parameter followsLink: whether a link stands for what it leads to.
  package init?(at path: String, followsLink: Bool = false) {
    var status = stat()
    guard (followsLink ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
    self.init(status)
  }
}

package final class OpenFolder: Sendable {
  package let path: String
  /// For openat(2) and its kin.
  package let descriptor: Int32
  private let followsLink: Bool
  private let identity: FileIdentity?

  /// nil when it cannot be opened; `errno` tells why.
  /// - Parameter followsLink: whether a symbolic link to a folder will do.
  package init?(_ path: String, followsLink: Bool) {
    self.path = path
    self.followsLink = followsLink
    let flags = O_DIRECTORY | O_CLOEXEC | (followsLink ? 0 : O_NOFOLLOW)
    var descriptor = open(path, O_RDONLY | flags)
    // A folder may be writable and not readable.
    if descriptor < 0, errno == EACCES { descriptor = open(path, __O_PATH | flags) }
    guard descriptor >= 0 else { return nil }
    self.descriptor = descriptor
    identity = FileIdentity(of: descriptor)
  }

  deinit { close(descriptor) }

  /// Whether it is still the one that has its name.
  package var isInPlace: Bool {
    identity != nil && FileIdentity(at: path, followsLink: followsLink) == identity
  }

  /// Returns when the names in it are on the disk.
  /// - Throws: `DistsgdError` (`inputOutput`).
  package func sync() throws(DistsgdError) {
    // EINVAL: a file system that cannot sync a folder; EBADF: one that may not be read.
    if fsync(descriptor) != 0, errno != EINVAL, errno != EBADF { throw writeError(path, errno) }
  }

  /// Removes a file, or a link itself.
  package func remove(_ name: String) { unlinkat(descriptor, name, 0) }

  /// The names in it.
  package func entries() -> [String] {
    namesInFolder(fdopendir(openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)))
  }
}

/// The names in a folder that is open, which is closed.
package func namesInFolder(_ stream: OpaquePointer?) -> [String] {
  guard let stream else { return [] }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    names.append(
      withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      })
  }
  return names
}

/// Returns when the names in a folder are on the disk.
/// - Throws: `DistsgdError` (`inputOutput`).
package func syncFolder(_ path: String) throws(DistsgdError) {
  try OpenFolder(path, followsLink: true)?.sync()
}
