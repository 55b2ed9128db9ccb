// The bytes that a target reads, in memory or as a file.
import Glibc
import TestSupport

/// One input at a time, and a folder in which it can be given a name.
public final class FuzzInput {
  public private(set) var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  private let folder = TemporaryFolder()
  private var fixedFiles: [String: String] = [:]

  public init() {}

  /// Makes `bytes` the input while `body` runs.
  public func with(_ bytes: UnsafeRawBufferPointer, _ body: (FuzzInput) throws -> Void) rethrows {
    self.bytes = bytes
    defer { self.bytes = UnsafeRawBufferPointer(start: nil, count: 0) }
    try body(self)
  }

  /// The input as text.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// One of `count` ways to read the input, by its length: so files of the corpus are just what they are.
  func way(of count: Int) -> Int { bytes.count % count }

  /// The path of a file that holds the input.
  func file(_ name: String) -> String {
    let path = folder(name)
    // With C's calls, because a fuzzer writes millions of files.
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    precondition(write(descriptor, bytes.baseAddress, bytes.count) == bytes.count, "cannot write \(path)")
    close(descriptor)
    return path
  }

  /// The path of a file with content that is the same every time.
  func fixedFile(_ name: String, _ content: @autoclosure () -> [UInt8]) throws -> String {
    if let path = fixedFiles[name] { return path }
    let path = try folder.write(content(), to: name)
    fixedFiles[name] = path
    return path
  }
}
