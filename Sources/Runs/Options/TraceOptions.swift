// What `--trace` and `--trace-steps` ask for.

/// Which steps, and where they go.
package struct TraceOptions: Sendable, Equatable {
  package var path: String
  /// Counted from 1; nil: twenty, after ten to warm up.
  package var steps: ClosedRange<Int>?

  /// Steps of a trace.
  package static let stepLimit = 10_000

  package init(path: String, steps: ClosedRange<Int>? = nil) {
    (self.path, self.steps) = (path, steps)
  }

  /// `100:120`, both of them included; nil where `text` is no such range.
  package static func steps(_ text: String) -> ClosedRange<Int>? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let first = parts[0], let last = parts[1], first >= 1, last >= first,
      last - first < stepLimit
    else { return nil }
    return first...last
  }

  /// - Parameters:
  ///   - done: steps that were made before.
  ///   - total: steps of the whole run.
  func range(done: Int, total: Int) -> Range<Int> {
    if let steps { return steps.lowerBound..<steps.upperBound + 1 }
    let first = total - done >= 30 ? done + 11 : done + 1
    return first..<first + 20
  }
}
