// What the system tells of this machine: cores, memory, folders, addresses.
import CSignals
import Glibc
import System

extension HostFacts {
  /// For the first rank of a server.
  /// - Parameter cpus: that its ranks may use together.
  static func ofThisMachine(_ name: String, cpus: [Int]) -> HostFacts {
    var facts = HostFacts()
    facts.name = name
    facts.isRoot = geteuid() == 0
    facts.cpus = cpus.count
    facts.cores = physicalCores(behind: cpus)
    facts.onlineCPUs = CPUSet.online.count
    facts.quota = cpuQuota()
    let memory = MemoryLimit.ofMachine()
    facts.memory = memory.total
    facts.memoryWords = memory.words
    facts.shared = FolderFacts(at: "/dev/shm")
    facts.temporary = FolderFacts(at: environmentValue("TMPDIR") ?? "/tmp")
    facts.otherFolders = ["/tmp", "/var/tmp", environmentValue("HOME") ?? "/root"].map(FolderFacts.init(at:))
      .filter { $0.isWritable }.sorted { ($0.free, $1.path) > ($1.free, $0.path) }
    facts.readingError = Int(csignals_error_of_reading())
    let start = monotonicSeconds()
    facts.resolvedName = resolved(name)
    facts.resolvingSeconds = monotonicSeconds() - start
    facts.interfaces = networkInterfaces()
    return facts
  }
}

extension FolderFacts {
  init(at path: String) {
    self.init(path, isWritable: access(path, W_OK | X_OK) == 0, total: 0, free: 0)
    var space = statvfs()
    if statvfs(path, &space) == 0 {
      let block = Int(clamping: space.f_frsize)
      total = block.multipliedReportingOverflow(by: Int(clamping: space.f_blocks)).partialValue
      free = block.multipliedReportingOverflow(by: Int(clamping: space.f_bavail)).partialValue
    }
    isRemote = isOfAnotherMachine(path, mounts: textOfSystemFile("/proc/self/mounts") ?? "")
  }
}

/// Whether the file system that a folder lies in is another machine's.
/// - Parameter mounts: the text of `/proc/self/mounts`: device, folder, type.
package func isOfAnotherMachine(_ path: String, mounts: String) -> Bool {
  var best = (length: 0, type: Substring(""))
  for line in mounts.split(separator: "\n") {
    let fields = line.split(separator: " ")
    guard fields.count > 2 else { continue }
    let folder = fields[1] == "/" ? "" : fields[1]
    // Of two on the same folder the later one is seen.
    if (path + "/").hasPrefix(folder + "/"), folder.count >= best.length { best = (folder.count, fields[2]) }
  }
  let types = ["nfs", "cifs", "smb", "lustre", "gpfs", "beegfs", "ceph", "9p", "afs", "fuse.sshfs"]
  return types.contains { best.type.hasPrefix($0) }
}

/// The first address of a host's name; nil where the system does not know it.
private func resolved(_ name: String) -> String? {
  var hints = addrinfo()
  hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
  var list: UnsafeMutablePointer<addrinfo>?
  guard getaddrinfo(name, nil, &hints, &list) == 0, let first = list else { return nil }
  defer { freeaddrinfo(list) }
  var text = [CChar](repeating: 0, count: 64)
  guard
    getnameinfo(
      first.pointee.ai_addr, first.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
      == 0
  else { return nil }
  return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Those that are up, with their IPv4 addresses.
private func networkInterfaces() -> [NetworkInterface] {
  var list: UnsafeMutablePointer<ifaddrs>?
  guard getifaddrs(&list) == 0 else { return [] }
  defer { freeifaddrs(list) }
  func address(_ pointer: UnsafeMutablePointer<sockaddr>?) -> UInt32? {
    guard let pointer, pointer.pointee.sa_family == sa_family_t(AF_INET) else { return nil }
    return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
      UInt32(bigEndian: $0.pointee.sin_addr.s_addr)
    }
  }
  var interfaces: [NetworkInterface] = []
  var next = list
  while let entry = next?.pointee {
    next = entry.ifa_next
    guard entry.ifa_flags & UInt32(IFF_UP) != 0, let own = address(entry.ifa_addr) else { continue }
    interfaces.append(
      NetworkInterface(
        String(cString: entry.ifa_name), own, (address(entry.ifa_netmask) ?? ~0).nonzeroBitCount,
        isLoopback: entry.ifa_flags & UInt32(IFF_LOOPBACK) != 0))
  }
  return interfaces
}
