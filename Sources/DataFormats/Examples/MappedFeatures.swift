// Inputs that stay in their file.
import System

/// Inputs in a file, row-major as in memory: every rank maps them for itself.
package struct MappedFeatures: Sendable {
  /// The file.
  package var path: String
  /// Where the first number lies.
  package var offset: Int
  /// Of all numbers.
  package var byteCount: Int
  /// A file without a name, which is there as long as this value, or a mapping of it.
  var file: UnnamedFile?

  /// Whether the file has been made for these numbers alone.
  package var isCache: Bool { file != nil }

  /// All of a file without a name.
  package init(_ file: UnnamedFile) {
    self.init(path: file.path, offset: 0, byteCount: file.bytes.count)
    self.file = file
  }

  package init(path: String, offset: Int, byteCount: Int) {
    (self.path, self.offset, self.byteCount) = (path, offset, byteCount)
  }
}
