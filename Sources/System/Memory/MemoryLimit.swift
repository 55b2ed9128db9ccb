// How much memory this process may still take, and the line for those who ask for more.
import Glibc
import Text

/// What limits the memory of this process.
package struct MemoryLimit: Equatable {
  /// Bytes that are left to take.
  package var bytes: Double
  /// Bytes that the limit is.
  package var total: Double
  /// Who says so, up to the number.
  package var words: String

  /// What a process needs beside: stacks, and the allocator's own room for small pieces.
  private static let reserve = 32e6

  /// For all processes of this machine or container: its memory, and the control groups' limits.
  /// - Parameter root: the folder that holds `proc` and `sys`.
  package static func ofMachine(root: String = "") -> MemoryLimit {
    let page = Double(sysconf(Int32(_SC_PAGESIZE)))
    let resident = Double(pagesInUse()[1]) * page
    var limits = [
      limit(Double(sysconf(Int32(_SC_PHYS_PAGES))) * page, used: resident, "this machine has")
    ]
    for group in controlGroups(of: "memory", root: root) {
      let file = group.isVersion2 ? "memory.max" : "memory.limit_in_bytes"
      // "max" in version 2 and a number beyond all memory in version 1 mean no limit.
      guard
        let bytes = Double((textOfSystemFile("\(group.folder)/\(file)") ?? "").filter { !$0.isWhitespace })
      else { continue }
      limits.append(limit(bytes, used: resident, "the control group grants"))
    }
    return limits.min { $0.bytes < $1.bytes }!
  }

  /// For this process alone (`ulimit -v`, `ulimit -d`); nil without a limit.
  package static func ofProcess() -> MemoryLimit? {
    let page = Double(sysconf(Int32(_SC_PAGESIZE)))
    let use = pagesInUse()
    var limits: [MemoryLimit] = []
    for (resource, pages, words) in [
      (RLIMIT_AS, use[0], "ulimit -v leaves"), (RLIMIT_DATA, use[5], "ulimit -d leaves"),
    ] {
      var most = rlimit()
      guard getrlimit(__rlimit_resource_t(resource.rawValue), &most) == 0, most.rlim_cur != rlim_t.max else {
        continue
      }
      limits.append(limit(Double(most.rlim_cur), used: Double(pages) * page + reserve, words))
    }
    return limits.min { $0.bytes < $1.bytes }
  }

  private static func limit(_ total: Double, used: Double, _ words: String) -> MemoryLimit {
    MemoryLimit(bytes: total - used, total: total, words: words)
  }

  /// size, resident, shared, text, lib, data and dt of this process (proc(5), statm).
  private static func pagesInUse() -> [Int] {
    let pages = (textOfSystemFile("/proc/self/statm") ?? "").split(whereSeparator: \.isWhitespace).map {
      Int($0) ?? 0
    }
    return pages.count >= 7 ? pages : [Int](repeating: 0, count: 7)
  }
}

/// Refuses what this process's memory cannot hold, which would otherwise end in a crash.
///
/// - Parameters:
///   - bytes: what this process will take.
///   - ofAll: what all ranks of its server will take together.
///   - what: what needs the memory.
///   - instead: what would be right.
/// - Throws: `DistsgdError` (`usage`).
package func requireMemory(
  bytes: Double, ofAll: Double? = nil, for what: String, instead: String = "fewer rows"
) throws(DistsgdError) {
  // Most need little, and need not ask the system.
  guard bytes > 1e6 else { return }
  func require(_ bytes: Double, _ limit: MemoryLimit?) throws(DistsgdError) {
    guard let limit, bytes > limit.bytes else { return }
    throw DistsgdError(
      .usage,
      "\(what) needs \(gigabytes(bytes)) GB, \(limit.words) \(gigabytes(max(0, limit.bytes))) GB: use \(instead)"
    )
  }
  try require(ofAll ?? bytes, .ofMachine())
  try require(bytes, .ofProcess())
}

/// A number of them with a decimal; of small ones with three.
package func gigabytes(_ bytes: Double) -> String {
  let tenths = (bytes / 1e8).rounded()
  if bytes < 1e8 { return fixed(bytes / 1e9, 3) }
  return tenths < 1e15 ? "\(Int(tenths) / 10).\(Int(tenths) % 10)" : "\(bytes / 1e9)"
}
