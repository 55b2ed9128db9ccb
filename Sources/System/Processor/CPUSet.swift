// Sets of logical CPUs: which ones the system lets a process run on.
import CAffinity
import Glibc

/// Logical CPUs by their number.
package struct CPUSet: Equatable {
  /// 64 CPUs a word, as the kernel has them.
  package var words: [UInt64]

  /// Room for 8,192 CPUs, the most that a kernel is built for.
  private static let wordCount = 128

  package init(_ cpus: some Sequence<Int>) {
    words = [UInt64](repeating: 0, count: Self.wordCount)
    for cpu in cpus where cpu >= 0 && cpu < 64 * Self.wordCount { words[cpu / 64] |= 1 << UInt64(cpu % 64) }
  }

  /// Those that this thread may run on (`sched_getaffinity`): what `taskset`, a cpuset or a launcher's binding has
  /// left; nil where the system does not tell.
  package static var ofThisThread: CPUSet? {
    var set = CPUSet([])
    guard caffinity_get(&set.words, set.words.count) != 0, set.count > 0 else { return nil }
    return set
  }

  /// All that the system has switched on.
  package static var online: CPUSet { CPUSet(0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// Lets a thread run on these alone; 0 is the calling one.
  @discardableResult
  package func bind(thread: pid_t = 0) -> Bool {
    caffinity_set(thread, words, words.count) != 0
  }

  package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// Ascending.
  package var cpus: [Int] {
    words.indices.flatMap { word in
      (0..<64).filter { words[word] >> UInt64($0) & 1 == 1 }.map { 64 * word + $0 }
    }
  }

  func union(_ other: CPUSet) -> CPUSet {
    var result = self
    for word in words.indices { result.words[word] |= other.words[word] }
    return result
  }
}
