// What the processor says about itself: model, vectors, caches.
import Glibc
import Text

/// A level of the data cache.
package struct Cache: Sendable, Equatable {
  package let level: Int
  package let bytes: Int
  /// How many logical CPUs share it.
  package let sharedBy: Int

  package init(level: Int, bytes: Int, sharedBy: Int) {
    self.level = level
    self.bytes = bytes
    self.sharedBy = sharedBy
  }
}

/// The widest vector instructions of a processor.
package struct VectorExtension: Sendable, Equatable {
  package let name: String
  package let bits: Int

  package init(name: String, bits: Int) {
    self.name = name
    self.bits = bits
  }
}

/// The processor of this server.
package struct Machine: Sendable {
  package let model: String
  /// Cores that this process can use.
  package let cores: Int
  package let vectors: VectorExtension
  /// Data and unified caches, from the first level on; empty where the system does not tell.
  package let caches: [Cache]

  /// What the system tells about this machine.
  package init() {
    let information = textOfSystemFile("/proc/cpuinfo") ?? ""
    model = cpuModel(information) ?? "unknown processor"
    vectors = vectorExtension(information)
    cores = availableCores()
    caches = cachesOfSystem(in: "/sys/devices/system/cpu/cpu0/cache")
  }
}

/// The value of the first line `key : value` with one of `keys`.
private func field(_ keys: [String], in cpuInformation: String) -> Substring? {
  for line in cpuInformation.split(separator: "\n") {
    guard let colon = line.firstIndex(of: ":") else { continue }
    let key = line[..<colon].reversed().drop { $0 == " " || $0 == "\t" }.reversed()
    if keys.contains(String(key)) { return line[line.index(after: colon)...].drop { $0 == " " } }
  }
  return nil
}

/// The processor's name in the text of `/proc/cpuinfo`.
package func cpuModel(_ cpuInformation: String) -> String? {
  field(["model name", "Model", "Hardware"], in: cpuInformation).map { String($0) }
}

/// The widest vectors among the flags (x86) or features (ARM) in the text of `/proc/cpuinfo`.
package func vectorExtension(_ cpuInformation: String) -> VectorExtension {
  let flags = Set((field(["flags", "Features"], in: cpuInformation) ?? "").split(separator: " "))
  if flags.contains("avx512f") { return VectorExtension(name: "AVX-512", bits: 512) }
  if flags.contains("avx2") && flags.contains("fma") { return VectorExtension(name: "AVX2", bits: 256) }
  if flags.contains("avx") { return VectorExtension(name: "AVX", bits: 256) }
  // SVE's width is the implementation's choice and not among the features; it is at least NEON's.
  if flags.contains("sve") { return VectorExtension(name: "SVE", bits: 128) }
  if flags.contains("asimd") || flags.contains("neon") { return VectorExtension(name: "NEON", bits: 128) }
  if flags.contains("sse2") { return VectorExtension(name: "SSE2", bits: 128) }
  return VectorExtension(name: "none known", bits: 128)
}

/// The data and unified caches in a folder like `/sys/devices/system/cpu/cpu0/cache`.
package func cachesOfSystem(in folder: String) -> [Cache] {
  var caches: [Cache] = []
  for index in 0..<16 {
    func value(_ name: String) -> String? {
      textOfSystemFile("\(folder)/index\(index)/\(name)").map { String($0.prefix { $0 != "\n" }) }
    }
    guard let type = value("type") else { break }
    guard type != "Instruction", let level = value("level").flatMap({ Int($0) }),
      let bytes = value("size").flatMap(byteCount)
    else { continue }
    let sharedBy = value("shared_cpu_list").map(cpuCount) ?? 1
    caches.append(Cache(level: level, bytes: bytes, sharedBy: sharedBy))
  }
  return caches.sorted { $0.level < $1.level }
}

/// `48K`, `2M` or `1024` as bytes.
private func byteCount(_ text: String) -> Int? {
  guard let unit = text.last else { return nil }
  switch unit {
  case "K": return Int(text.dropLast()).map { $0 << 10 }
  case "M": return Int(text.dropLast()).map { $0 << 20 }
  case "G": return Int(text.dropLast()).map { $0 << 30 }
  default: return Int(text)
  }
}

/// The number of CPUs in a list such as `0-3,8`.
private func cpuCount(_ list: String) -> Int {
  list.split(separator: ",").reduce(0) { count, range in
    let ends = range.split(separator: "-").compactMap { Int($0) }
    return count + (ends.count == 2 ? max(ends[1] - ends[0] + 1, 1) : 1)
  }
}

/// A file of `/proc` or `/sys`, which do not tell their size before they are read.
package func textOfSystemFile(_ path: String) -> String? {
  guard let file = fopen(path, "r") else { return nil }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    if count == 0 { break }
    bytes += buffer[..<count]
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// `48 KiB`, `1 MiB`, `1.5 MiB`.
package func readableBytes(_ bytes: Int) -> String {
  let units = ["B", "KiB", "MiB", "GiB"]
  var value = Double(bytes)
  var unit = 0
  while value >= 1024 && unit < units.count - 1 {
    value /= 1024
    unit += 1
  }
  return "\(fixed(value, value == value.rounded() ? 0 : 1)) \(units[unit])"
}
