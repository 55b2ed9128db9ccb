// Writing files so that a full disk is noticed and a crash leaves the old file or the new one, whole.

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Writes all of `bytes` to an open descriptor, going on after short writes and signals.
///
/// - Parameter path: what the error calls the file.
/// - Throws: `DistsgdError` (`inputOutput`), for example when the disk is full.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws {
  let number = writeAll(bytes, to: descriptor)
  if number != 0 { throw writeError(path, number) }
}

/// As above; returns the error number, or 0.
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
  var rest = bytes[...]
  while !rest.isEmpty {
    let written = write(descriptor, rest.base.baseAddress! + rest.startIndex, rest.count)
    if written >= 0 {
      rest = rest.dropFirst(written)
    } else if errno == EAGAIN {
      // Whoever shares a terminal or a pipe with us may have made it so that it does not wait.
      var stream = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&stream, 1, -1)
    } else if errno != EINTR {
      return errno
    }
  }
  return 0
}

/// A file that appears under its name only when it is complete and on the disk.
///
/// The bytes go to a temporary file in the same folder; `commit` syncs it, renames it over the old
/// file and syncs the folder. Without `commit` the temporary file is removed and the old file stays.
package struct ReplacementFile: ~Copyable {
  private let path: String
  private let folder: OpenFolder?
  /// In the folder, or from the current one on.
  private let name: String
  private let temporaryName: String
  private var descriptor: Int32
  private let direct: DirectOutput?

  /// Opens the temporary file beside `path`.
  ///
  /// - Parameter bypassesCache: writes past the page cache where the file system can, for large files that
  ///   nobody reads soon: copying them into the cache would take time from those who compute.
  /// - Throws: `DistsgdError` (`cannotCreate`).
  package init(replacing path: String, bypassesCache: Bool = false) throws {
    try self.init(replacing: path, in: nil, bypassesCache: bypassesCache)
  }

  /// - Parameter folder: the one that the file is made in, which `path` was the way to when it was opened.
  package init(replacing path: String, in folder: OpenFolder?, bypassesCache: Bool) throws {
    self.path = path
    self.folder = folder
    name = folder == nil ? path : baseName(path)
    temporaryName = "\(name).tmp-\(getpid())"
    let place = folder?.descriptor ?? AT_FDCWD
    unlinkat(place, temporaryName, 0)  // of a process that died with this number
    // Renamed over a device, the file would take its place; as root, for everybody.
    let isDevice = folder == nil && pathKind(path) == .other
    descriptor =
      isDevice ? -1 : openat(place, temporaryName, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    direct = bypassesCache ? DirectOutput(descriptor, path: path) : nil
    if isDevice {
      throw DistsgdError(
        .cannotCreate, "cannot create '\(path)': it is a device or a pipe; name a file that can be replaced")
    }
    if descriptor < 0 {
      throw DistsgdError(
        .cannotCreate,
        "cannot create '\(path)': \(message(errno)); name a file in a folder that exists and can be written to"
      )
    }
  }

  /// Appends `bytes`.
  ///
  /// - Throws: `DistsgdError` (`inputOutput`).
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    try requireSpace(for: path)
    if let direct { try direct.write(bytes) } else { try writeAll(bytes, to: descriptor, path: path) }
  }

  /// Makes the file durable under its name.
  ///
  /// - Throws: `DistsgdError` (`inputOutput` for the bytes, `cannotCreate` for the name).
  package mutating func commit() throws {
    precondition(descriptor >= 0, "commit() is called once")
    try direct?.finish()
    if fsync(descriptor) != 0 { throw writeError(path, errno) }
    let code = close(descriptor)
    descriptor = -1
    let place = folder?.descriptor ?? AT_FDCWD
    if code != 0 || renameat(place, temporaryName, place, name) != 0 {
      let number = errno
      unlinkat(place, temporaryName, 0)
      if code != 0 { throw writeError(path, number) }
      throw DistsgdError(
        .cannotCreate, "cannot create '\(path)': \(message(number)); name a file that can be replaced")
    }
    // The name itself is durable only when the folder is.
    if let folder { try folder.sync() } else { try syncFolder(parentFolder(path)) }
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      unlinkat(folder?.descriptor ?? AT_FDCWD, temporaryName, 0)
    }
  }
}

func writeError(_ path: String, _ number: Int32) -> DistsgdError {
  let remedy =
    number == ENOSPC || number == EDQUOT
    ? "free some space or write to another disk" : "write to another disk"
  return DistsgdError(.inputOutput, "cannot write '\(path)': \(message(number)); \(remedy)")
}

/// The system's words for an error number, in the middle of a sentence: `no space left on device`.
func message(_ number: Int32) -> String {
  let words = String(cString: strerror(number))
  return words.prefix(1).lowercased() + words.dropFirst()
}

/// The folder that a file or folder is in.
package func parentFolder(_ path: String) -> String {
  path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
}

/// Makes a folder and those above it; when it returns, their names are on the disk.
package func makeFolder(_ path: String) throws(DistsgdError) {
  if path.isEmpty || pathKind(path) == .directory { return }
  if let slash = path.lastIndex(of: "/") { try makeFolder(String(path[..<slash])) }
  if mkdir(path, 0o777) == 0 { return try syncFolder(parentFolder(path)) }
  guard errno == EEXIST else {
    throw DistsgdError(
      .cannotCreate,
      "cannot create the folder '\(path)': \(errorText(errno)); name one that can be written to")
  }
}

extension ReplacementFile {
  /// Writes a whole text file, or leaves the old one.
  /// - Throws: `DistsgdError` (`cannotCreate`, `inputOutput`).
  package static func write(_ text: String, to path: String) throws {
    var text = text
    var file = try ReplacementFile(replacing: path)
    try text.withUTF8 { try file.write(UnsafeRawBufferPointer($0)) }
    try file.commit()
  }
}
