// What the first rank of a server finds out about it.

/// A network interface that is up, with an IPv4 address.
package struct NetworkInterface: Equatable, Sendable {
  package var name: String
  /// The first byte is the highest.
  package var address: UInt32
  /// Bits of the network's part.
  package var prefix: Int
  package var isLoopback: Bool

  package init(_ name: String, _ address: UInt32, _ prefix: Int, isLoopback: Bool = false) {
    self.name = name
    self.address = address
    self.prefix = prefix
    self.isLoopback = isLoopback
  }
}

/// A folder that MPI keeps files in.
package struct FolderFacts: Equatable, Sendable {
  package var path: String
  package var isWritable: Bool
  /// Bytes.
  package var total, free: Int
  /// Whether another machine has it.
  package var isRemote: Bool

  package init(_ path: String, isWritable: Bool = true, total: Int, free: Int, isRemote: Bool = false) {
    self.path = path
    self.isWritable = isWritable
    self.total = total
    self.free = free
    self.isRemote = isRemote
  }
}

/// A server, as its first rank sees it.
package struct HostFacts: Equatable, Sendable {
  package var name = "host"
  package var isRoot = false
  /// Logical CPUs that the ranks may use together, and cores behind them.
  package var cpus = 1
  package var cores = 1
  /// CPUs that the system has switched on.
  package var onlineCPUs = 1
  /// Cores' worth of time that the control group grants; nil without a limit.
  package var quota: Double?
  /// Bytes of memory that are granted, and who grants them: `this machine has`.
  package var memory = 0.0
  package var memoryWords = "this machine has"
  /// `/dev/shm`.
  package var shared = FolderFacts("/dev/shm", total: 0, free: 0)
  /// Where MPI keeps its session: `$TMPDIR`, or `/tmp`.
  package var temporary = FolderFacts("/tmp", total: 0, free: 0)
  /// Other folders for that, with most room first.
  package var otherFolders: [FolderFacts] = []
  /// Why processes may not read each other's memory (an errno); 0 where they may.
  package var readingError = 0
  /// What the system resolves the host's name to; nil where it does not know it.
  package var resolvedName: String?
  package var resolvingSeconds = 0.0
  package var interfaces: [NetworkInterface] = []
  /// Seconds by which its clock is ahead of rank 0's.
  package var clockOffset = 0.0

  package init() {}

  /// One rank's word for all ranks of the server: fields, each a text.
  package var fields: [String] {
    func folder(_ facts: FolderFacts) -> [String] {
      [facts.path, "\(facts.isWritable)", "\(facts.total)", "\(facts.free)", "\(facts.isRemote)"]
    }
    return [
      name, "\(isRoot)", "\(cpus)", "\(cores)", "\(onlineCPUs)", quota.map { "\($0)" } ?? "", "\(memory)",
      memoryWords, "\(readingError)", resolvedName ?? "", "\(resolvingSeconds)", "\(otherFolders.count)",
    ] + ([shared, temporary] + otherFolders).flatMap(folder)
      + interfaces.flatMap { [$0.name, "\($0.address)", "\($0.prefix)", "\($0.isLoopback)"] }
  }

  package init(fields: [String]) {
    var rest = fields[...]
    func text() -> String { rest.popFirst() ?? "" }
    func flag() -> Bool { text() == "true" }
    func number() -> Int { Int(text()) ?? 0 }
    func folder() -> FolderFacts {
      let path = text()
      let isWritable = flag()
      let (total, free) = (number(), number())
      return FolderFacts(path, isWritable: isWritable, total: total, free: free, isRemote: flag())
    }
    name = text()
    isRoot = flag()
    (cpus, cores, onlineCPUs) = (number(), number(), number())
    quota = Double(text())
    memory = Double(text()) ?? 0
    memoryWords = text()
    readingError = number()
    let resolved = text()
    resolvedName = resolved.isEmpty ? nil : resolved
    resolvingSeconds = Double(text()) ?? 0
    let folders = number()
    (shared, temporary) = (folder(), folder())
    otherFolders = (0..<folders).map { _ in folder() }
    while rest.count >= 4 {
      let name = text()
      let (address, prefix) = (number(), number())
      interfaces.append(
        NetworkInterface(name, UInt32(clamping: address), prefix, isLoopback: flag()))
    }
  }
}
