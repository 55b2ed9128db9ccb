// How many cores this server really offers: a container may have fewer than the machine.
import Glibc

/// The cores that processes of this server can use at the same time: those online, or the quota of the
/// control group (`cpu.max`) where it is lower.
public func availableCores() -> Int {
  let online = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  guard let file = fopen("/sys/fs/cgroup/cpu.max", "r") else { return online }
  defer { fclose(file) }
  var text = [CChar](repeating: 0, count: 64)
  guard fgets(&text, 64, file) != nil else { return online }
  let words = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    .split(whereSeparator: \.isWhitespace)
  guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), period > 0 else {
    return online
  }
  return max(1, min(online, Int((quota / period).rounded(.down))))
}
