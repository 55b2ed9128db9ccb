// The bytes that a target reads, in memory or as a file.
import Glibc
import TestSupport

/// One input at a time, and a folder in which it can be given a name.
public final class FuzzInput {
  public private(set) var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  private let folder = TemporaryFolder()
  private var fixedFiles: [String: String] = [:]
  /// Of the files that inputs were written to; they stay open.
  private var descriptors: [String: (path: String, descriptor: Int32)] = [:]

  public init() {}

  deinit { for file in descriptors.values { close(file.descriptor) } }

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
  ///
  /// - Parameter signature: the first bytes of the file, in place of the input's: by them a reader is chosen.
  func file(_ name: String, signature: [UInt8] = []) -> String {
    // A fuzzer writes millions of files: the same one again and again.
    let file = descriptors[name] ?? opened(name)
    let first = Array(signature.prefix(bytes.count))
    precondition(
      pwrite(file.descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count
        && pwrite(file.descriptor, first, first.count, 0) == first.count
        && ftruncate(file.descriptor, bytes.count) == 0, "cannot write \(file.path)")
    return file.path
  }

  private func opened(_ name: String) -> (path: String, descriptor: Int32) {
    let path = folder(name)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    descriptors[name] = (path, descriptor)
    return (path, descriptor)
  }

  /// Takes away a file that holds the input.
  func remove(_ name: String) {
    guard let file = descriptors.removeValue(forKey: name) else { return }
    close(file.descriptor)
    unlink(file.path)
  }

  /// The path of a folder of two classes, in which the input is an image.
  func pictureFolder() throws -> String {
    let root = folder("pictures")
    mkdir(root, 0o700)
    mkdir(root + "/a", 0o700)
    mkdir(root + "/b", 0o700)
    // The smallest PNG of one grey pixel.
    _ = try fixedFile("pictures/b/1.png", onePixel)
    _ = file("pictures/a/1.png")
    return root
  }

  private var onePixel: [UInt8] {
    [
      137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1,
      0, 0, 0, 1, 8, 0, 0, 0, 0, 58, 126, 155, 85, 0, 0, 0, 10, 73, 68, 65,
      84, 120, 156, 99, 104, 0, 0, 0, 130, 0, 129, 119, 205, 114, 182, 0, 0, 0, 0, 73,
      69, 78, 68, 174, 66, 96, 130,
    ]
  }

  /// The path of a file with content that is the same every time.
  func fixedFile(_ name: String, _ content: @autoclosure () -> [UInt8]) throws -> String {
    if let path = fixedFiles[name] { return path }
    let path = try folder.write(content(), to: name)
    fixedFiles[name] = path
    return path
  }
}
