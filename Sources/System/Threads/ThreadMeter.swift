// What the system has given to a thread: time on a core, time in which it had to wait for one, switches, page faults.
import Glibc

/// What a thread has used since it began.
package struct ThreadUse: Sendable, Equatable {
  /// Of a core.
  package var cpuSeconds = 0.0
  /// Times at which it gave its core up to wait for something, and at which the core was taken from it.
  package var voluntarySwitches = 0
  package var involuntarySwitches = 0
  /// Pages that were only to be mapped, and pages that had to come from a disk.
  package var minorFaults = 0
  package var majorFaults = 0

  package init() {}
}

/// Reads the meters of the thread that makes it, and belongs to that thread.
package final class ThreadMeter {
  /// `schedstat` of proc(5), which is kept open; below 0 where the system has none.
  private let statistics: Int32

  package init() { statistics = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC) }

  deinit { if statistics >= 0 { close(statistics) } }

  /// Time on a core; about 400 ns.
  package var cpuNanoseconds: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Time in which it could have run and had no core: the second number of the line; about 600 ns.
  package var queuedNanoseconds: UInt64 {
    guard statistics >= 0 else { return 0 }
    return withUnsafeTemporaryAllocation(byteCount: 96, alignment: 8) { buffer in
      let count = pread(statistics, buffer.baseAddress!, buffer.count, 0)
      var number: UInt64 = 0
      var field = 0
      for byte in buffer.prefix(max(0, count)) {
        if byte == UInt8(ascii: " ") {
          field += 1
          if field == 2 { break }
        } else if field == 1, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
          number = number &* 10 &+ UInt64(byte - UInt8(ascii: "0"))
        }
      }
      return number
    }
  }

  /// All of it.
  package var use: ThreadUse {
    var usage = rusage()
    // RUSAGE_THREAD, which is seen with _GNU_SOURCE alone.
    getrusage(1, &usage)
    var use = ThreadUse()
    use.cpuSeconds = Double(cpuNanoseconds) * 1e-9
    use.voluntarySwitches = usage.ru_nvcsw
    use.involuntarySwitches = usage.ru_nivcsw
    use.minorFaults = usage.ru_minflt
    use.majorFaults = usage.ru_majflt
    return use
  }
}

/// Nanoseconds of a clock that never jumps.
package func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}
