// Inputs that stay in their file.

/// Inputs in a file, row-major as in memory: every rank maps them for itself.
package struct MappedFeatures: Sendable, Equatable {
  /// The file.
  package var path: String
  /// Where the first number lies.
  package var offset: Int
  /// Of all numbers.
  package var byteCount: Int

  package init(path: String, offset: Int, byteCount: Int) {
    (self.path, self.offset, self.byteCount) = (path, offset, byteCount)
  }
}
