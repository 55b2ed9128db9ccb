// Where in its work a rank was last seen, in one word that it leaves in shared memory.

/// A step, and the phase that a rank has completed last.
package struct Place: Equatable {
  package var step: Int
  var phase: Phase?

  @inline(__always)
  package init(step: Int, after phase: Phase) {
    self.step = step
    self.phase = phase
  }

  @inline(__always)
  package init(word: UInt64) {
    step = Int(truncatingIfNeeded: word >> 8)
    phase = Phase(rawValue: Int(word & 0xFF) - 1)
  }

  @inline(__always)
  package var word: UInt64 { UInt64(truncatingIfNeeded: step) << 8 | UInt64((phase?.rawValue ?? -1) + 1) }

  /// `in step 51, after forward`
  package var words: String {
    guard let phase else { return "before its first step" }
    return step == 0 ? "before its first step" : "in step \(step), after \(phase.name)"
  }
}
