// Downloads one file with curl, so that a half or wrong file never stands under the final name.
@preconcurrency import Glibc  // `environ` is a mutable global of C.

/// Fetches the first URL that works to `path`, by way of a temporary file beside it.
///
/// - Parameters:
///   - program: curl, found on $PATH.
///   - advice: what the user can do where the download fails.
///   - check: refuses contents that are not the wanted ones.
/// - Throws: `noInput` when curl is missing or no URL works, `cannotCreate` when the file cannot be written, and
///   what `check` throws.
func download(
  _ urls: [String], to path: String, program: String, advice: String,
  check: (UnsafeRawBufferPointer) throws(DistsgdError) -> Void
) throws(DistsgdError) {
  let name = baseName(path)
  try makeFolder(String(path.dropLast(name.count + 1)))
  let temporary = "\(path).\(getpid())"
  defer { unlink(temporary) }
  var problem = DistsgdError(.noInput, "no address to download \(name) from: \(advice)")
  for url in urls {
    let arguments = [
      "--fail", "--silent", "--location", "--connect-timeout", "15", "--max-time", "120", "--output",
      temporary, url,
    ]
    switch run(program, arguments) {
    case .notFound:
      throw DistsgdError(
        .noInput,
        "\(name) is not on this machine and \(program) is not installed to download it: apt install \(program), or \(advice)"
      )
    case .failed(let code):
      problem = DistsgdError(
        .noInput, "\(name) is not on this machine and cannot be downloaded (\(curlReason(code))): \(advice)")
    case .succeeded:
      do throws(DistsgdError) {
        let file = try FileBytes(temporary)
        defer { withExtendedLifetime(file) {} }
        try check(file.bytes)
      } catch {
        problem = error
        continue
      }
      guard rename(temporary, path) == 0 else {
        throw DistsgdError(.cannotCreate, "cannot write \(path): \(errorText(errno))")
      }
      return
    }
  }
  throw problem
}

/// How a child process ended.
private enum Outcome { case succeeded, notFound, failed(Int32) }

/// Runs a program to its end, its output thrown away.
private func run(_ program: String, _ arguments: [String]) -> Outcome {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  for (descriptor, mode) in [(Int32(0), O_RDONLY), (1, O_WRONLY), (2, O_WRONLY)] {
    posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", mode, 0)
  }
  var vector: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
  vector.append(nil)
  defer { for pointer in vector { free(pointer) } }
  var child = pid_t()
  let code = posix_spawnp(&child, program, &actions, nil, vector, environ)
  guard code == 0 else { return code == ENOENT ? .notFound : .failed(126) }
  var status: Int32 = 0
  while waitpid(child, &status, 0) < 0 { guard errno == EINTR else { return .failed(126) } }
  let exitCode = status & 0x7F == 0 ? (status >> 8) & 0xFF : 126
  return exitCode == 0 ? .succeeded : exitCode == 127 ? .notFound : .failed(exitCode)
}

/// curl's exit codes that a person meets (curl's manual page).
private func curlReason(_ code: Int32) -> String {
  switch code {
  case 5, 6, 7: "no connection to the server"
  case 22: "the server does not have it"
  case 23: "the cache folder cannot be written"
  case 28: "the server did not answer in time"
  case 35, 60: "no secure connection to the server"
  default: "curl ended with \(code)"
  }
}

/// Makes a folder and those above it.
private func makeFolder(_ path: String) throws(DistsgdError) {
  if path.isEmpty || pathKind(path) == .directory { return }
  if let slash = path.lastIndex(of: "/") { try makeFolder(String(path[..<slash])) }
  guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
    throw DistsgdError(.cannotCreate, "cannot make the folder \(path): \(errorText(errno))")
  }
}
