// The floating-point environment that all results depend on: every thread of the program has IEEE 754's default.
import CKernels
import Synchronization

/// How threads round. Libraries change it: one that was linked with `-ffast-math` has subnormal numbers flushed to
/// zero, in the thread that loads it and in all that this one starts later.
package enum FloatingPointEnvironment {
  /// Gives the calling thread the default: to nearest, subnormal numbers as they are, no traps.
  /// - Returns: what was otherwise before, as `words` takes it; 0 is nothing.
  @discardableResult
  package static func setDefault() -> Int {
    let found = Int(ckernels_environment())
    ckernels_set_environment()
    changed.bitwiseOr(found, ordering: .relaxed)
    return found
  }

  /// Whether any thread had to be given the default.
  package static var wasChanged: Bool { changed.load(ordering: .relaxed) != 0 }

  /// Notes what is not as `setDefault` has left it in the calling thread, at its end.
  package static func check() {
    astray.bitwiseOr(Int(ckernels_environment()), ordering: .relaxed)
  }

  /// What threads that have ended, and the calling one, had otherwise; 0 is nothing.
  package static var deviation: Int { astray.load(ordering: .relaxed) | Int(ckernels_environment()) }

  /// `rounding other than to nearest and subnormal numbers flushed to zero`.
  package static func words(_ deviation: Int) -> String {
    var words: [String] = []
    func add(_ bit: Int, _ word: String) {
      if deviation & bit != 0 { words.append(word) }
    }
    add(CKERNELS_ROUNDING, "rounding other than to nearest")
    add(CKERNELS_SUBNORMALS, "subnormal numbers flushed to zero")
    add(CKERNELS_TRAPS, "traps")
    return words.joined(separator: " and ")
  }
}

private let astray = Atomic(0)
private let changed = Atomic(0)
