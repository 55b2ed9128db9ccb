// How long this process has been there: what a scheduler counts.
import Glibc

/// Seconds since this process was started (proc(5), stat: starttime, in ticks since the system's start); 0 where the system
/// does not tell.
package func processAge() -> Double {
  guard let text = textOfSystemFile("/proc/self/stat"), let name = text.lastIndex(of: ")") else { return 0 }
  let fields = text[text.index(after: name)...].split(separator: " ")
  // The first behind the name is the third.
  guard fields.count > 19, let ticks = Double(fields[19]) else { return 0 }
  var now = timespec()
  clock_gettime(CLOCK_BOOTTIME, &now)
  let age = Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9 - ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  return max(0, age)
}
