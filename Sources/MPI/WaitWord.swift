// What threads of one process tell each other, and how they wait: without locks, so that who tells never waits.
import CMPI

/// A word that one thread sets and another sleeps on.
package struct WaitWord {
  private let word: UnsafeMutablePointer<UInt32>

  /// It begins as 0. To be deallocated.
  package init() {
    word = .allocate(capacity: 1)
    word.initialize(to: 0)
  }

  package func deallocate() { word.deallocate() }

  /// What was written before it was set is seen by who finds it so.
  @inline(__always)
  package var value: UInt32 { cmpi_load_acquire(word) }

  /// Sets it and wakes who sleeps on it.
  package func set(_ value: UInt32) {
    cmpi_store_release(word, value)
    cmpi_futex_wake_all(word)
  }

  /// Sleeps while it is `value`, at most so long.
  package func sleep(while value: UInt32, milliseconds: Int32) { cmpi_futex_wait(word, value, milliseconds) }
}
