// A place for what a started job says and writes.
import Glibc
import System

/// A new folder that is removed with its files when nobody holds it any more.
final class TemporaryFolder {
  let path: String

  init() throws {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = temporaryTemplate("distsgd-verify", in: base)
    guard mkdtemp(&template) != nil else {
      throw DistsgdError(
        .cannotCreate,
        "cannot create a folder in '\(base)': \(errorText(errno)); set TMPDIR to one that can be written to"
      )
    }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    for file in namesInFolder(opendir(path + "/run")) { unlink("\(path)/run/\(file)") }
    rmdir(path + "/run")
    unlink(path + "/log")
    rmdir(path)
  }
}
