// How much memory a process takes: what it shares counted by shares, and the most that it has had.

import Glibc

/// This process's proportional set size in bytes: a page that k processes share counts 1/k, so the sum over the
/// ranks of a server is what they really take. 0 where the system does not tell.
package func proportionalSetSize() -> Int {
  for line in (textOfSystemFile("/proc/self/smaps_rollup") ?? "").split(separator: "\n")
  where line.hasPrefix("Pss:") {
    return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  }
  return 0
}

/// The most memory that this process has had resident at any time, in bytes, with all of what it shares; 0 where the
/// system does not tell. It allocates nothing.
package func peakResidentBytes() -> Int {
  // getrusage(2) would tell the peak of the process that started this one, if that is larger.
  let descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return 0 }
  defer { close(descriptor) }
  return withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 8) { buffer in
    let count = read(descriptor, buffer.baseAddress!, buffer.count - 1)
    guard count > 0 else { return 0 }
    buffer[count] = 0
    guard let line = strstr(buffer.baseAddress!.assumingMemoryBound(to: CChar.self), "VmHWM:") else {
      return 0
    }
    return strtol(line + 6, nil, 10) * 1024
  }
}
