// What of a gradient's size a step tells.

/// Norms that a step measures beside its work.
package enum MeasuredNorms: Int, Comparable, Sendable {
  case none
  /// Of the whole gradient.
  case whole
  /// Beside that, of the sums over both halves of the shards (`NoiseSample`).
  case halves

  package static func < (a: MeasuredNorms, b: MeasuredNorms) -> Bool { a.rawValue < b.rawValue }
}
