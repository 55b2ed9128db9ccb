// `--bind core`: every rank of a server keeps to CPUs of its own, so that neither it nor its memory wanders.
import DistributedSGD
import Glibc
import MPI
import System

/// What a rank is bound to in the end, and by whom.
enum Bound: String {
  case none, core, launcher

  /// What the summary adds.
  var words: String {
    switch self {
    case .none: ""
    case .core: ", each bound to cores of its own"
    case .launcher: ", bound by the launcher"
    }
  }
}

/// Where this rank runs.
struct Placement {
  let cores: ServerCores
  let bound: Bound

  /// Binds this rank as asked. Collective.
  init(_ binding: Binding, over communicator: any Communicator) throws {
    let cores = try ServerCores(over: communicator)
    bound = try communicator.agreeingOnErrors { try cores.bind(binding) }
    self.cores = cores
  }
}

/// Binds the ranks of a job that is to make several runs. Collective.
package func bindRanks(_ binding: Binding, over communicator: any Communicator) throws {
  _ = try Placement(binding, over: communicator)
}

extension ServerCores {
  /// Binds this process, all of its threads, to its share of the server's cores; a launcher's binding stays.
  /// - Throws: `DistsgdError` (`usage`) when there are more ranks than cores.
  func bind(_ binding: Binding) throws(DistsgdError) -> Bound {
    if isBoundByLauncher { return .launcher }
    guard binding == .core else { return .none }
    guard localRanks <= all.count else {
      throw DistsgdError(
        .usage,
        "--bind core: \(localRanks) ranks share the \(all.count) cores of a server; start at most \(all.count), or leave --bind out"
      )
    }
    let share = CPUSet(shareOfCPUs(coreOrder(all.cpus), localRank: localRank, of: localRanks))
    // Threads that OpenBLAS has started already keep what they were born with.
    for thread in threadsOfThisProcess() { share.bind(thread: thread) }
    return .core
  }
}

/// A rank's CPUs out of those of its server: as many for each, neighbours.
package func shareOfCPUs(_ cpus: [Int], localRank: Int, of localRanks: Int) -> ArraySlice<Int> {
  let share = cpus.count / localRanks
  return cpus[localRank * share..<(localRank + 1) * share]
}

/// CPUs in the order of their packages and cores: hyper-threads of one core are neighbours.
private func coreOrder(_ cpus: [Int]) -> [Int] {
  func topology(_ cpu: Int, _ name: String) -> Int {
    let text = textOfSystemFile("/sys/devices/system/cpu/cpu\(cpu)/topology/\(name)") ?? ""
    return Int(text.prefix { $0.isNumber }) ?? 0
  }
  return cpus.map { (topology($0, "physical_package_id"), topology($0, "core_id"), $0) }.sorted(by: <).map(
    \.2)
}

private func threadsOfThisProcess() -> [pid_t] {
  guard let folder = opendir("/proc/self/task") else { return [0] }
  defer { closedir(folder) }
  var threads: [pid_t] = []
  while let entry = readdir(folder) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if let thread = pid_t(name) { threads.append(thread) }
  }
  return threads
}
