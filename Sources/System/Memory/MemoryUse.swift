// How much memory a process takes, with what it shares counted by shares.

/// This process's proportional set size in bytes: a page that k processes share counts 1/k, so the sum over the
/// ranks of a server is what they really take. 0 where the system does not tell.
package func proportionalSetSize() -> Int {
  for line in (textOfSystemFile("/proc/self/smaps_rollup") ?? "").split(separator: "\n")
  where line.hasPrefix("Pss:") {
    return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  }
  return 0
}
