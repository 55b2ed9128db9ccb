// Downloads one file with curl, so that a half or wrong file never stands under the final name.
import Glibc
import System

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
    switch runChild(program, arguments) {
    case .notFound:
      throw DistsgdError(
        .noInput,
        "\(name) is not on this machine and \(program) is not installed to download it: apt install \(program), or \(advice)"
      )
    case .failed:
      problem = DistsgdError(
        .noInput, "\(name) is not on this machine and \(program) could not be run to download it: \(advice)")
    case .exited(let code) where code != 0:
      problem = DistsgdError(
        .noInput, "\(name) is not on this machine and cannot be downloaded (\(curlReason(code))): \(advice)")
    case .exited:
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
