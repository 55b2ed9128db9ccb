// A text file that grows: every append is on its way to the disk when it returns.
import Glibc

final class TextFile {
  private let path: String
  private let descriptor: Int32

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

  deinit { close(descriptor) }

  /// - Throws: `DistsgdError` (`inputOutput`), for example when the disk is full.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    try writeAll(bytes, to: descriptor, path: path)
  }

  func append(_ text: String) throws {
    var text = text
    try text.withUTF8 { try append(UnsafeRawBufferPointer($0)) }
  }
}
