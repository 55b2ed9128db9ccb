// An examination: the facts of all ranks come to rank 0, which makes findings of them.
import Bench
import DistributedSGD
import Glibc
import MPI
import System

/// All that is found of some facts.
package func findings(_ facts: JobFacts) -> [Finding] {
  launcherFindings(facts) + versionFindings(facts) + coreFindings(facts) + kernelFindings(facts)
    + folderFindings(facts) + networkFindings(facts) + clockFindings(facts) + reductionFindings(facts)
}

/// What `distsgd doctor` does.
package struct Examination {
  private let communicator: any Communicator
  private let starter: Starter
  private let wantedRanks: Int

  /// - Parameters:
  ///   - wantedRanks: of the job that is to be started here; of a rank of a job its own job counts.
  ///   - strayTasks: where `srun` has started some that cannot find each other, how many.
  package init(over communicator: any Communicator, wantedRanks: Int, strayTasks: Int?) {
    self.communicator = communicator
    let isAlone = communicator is SingleProcessCommunicator
    starter = strayTasks.map(Starter.strayTask) ?? (isAlone ? .alone : .launcher)
    self.wantedRanks = isAlone ? wantedRanks : communicator.worldSize
  }

  /// Collective; the report is on rank 0.
  /// - Parameters:
  ///   - program: how it is called in commands.
  ///   - executable: its file.
  package func report(program: String, executable: String) throws -> DoctorReport? {
    let ranks = try gather(RankFacts.own(over: communicator).fields)
    let isLeader = communicator.isServerLeader
    let cpus = try ServerCores(over: communicator).all.cpus
    let hosts = try gather(
      isLeader ? HostFacts.ofThisMachine(communicator.hostName, cpus: cpus).fields : [])
    let offsets = try ClockOffsets(over: communicator).seconds
    let reduction = try starter == .launcher ? reduce() : nil
    guard communicator.rank == 0 else { return nil }
    var facts = JobFacts()
    facts.starter = starter
    facts.program = program
    facts.wantedRanks = wantedRanks
    facts.environment = currentEnvironment().filter { name, _ in
      ["OMPI_", "PRTE_", "OPENBLAS_", "SLURM_"].contains { name.hasPrefix($0) }
    }
    facts.mpi = MPILibrary.words
    facts.mpiStandard = MPILibrary.standard
    facts.threadLevel = MPILibrary.threadLevel
    facts.cpuInformation = textOfSystemFile("/proc/cpuinfo") ?? ""
    facts.ranks = ranks.map(RankFacts.init(fields:))
    facts.hosts = communicator.topology.ranksOfServer.map { HostFacts(fields: hosts[$0[0]]) }
    for host in facts.hosts.indices { facts.hosts[host].clockOffset = offsets[host] }
    facts.reduction = reduction
    if starter == .alone {
      facts.launchers = foundLaunchers()
      facts.hasAPT = isExecutable("/usr/bin/apt-get")
      facts.namedSlots = namedSlots()
      if !facts.launchers.isEmpty {
        facts.trial = trialJob(ranks: max(2, min(wantedRanks, facts.hosts[0].cpus)), executable: executable)
      }
    }
    return DoctorReport(
      findings: findings(facts), ranks: communicator.worldSize, hosts: communicator.topology.hosts)
  }

  /// Texts of every rank, on rank 0. Collective.
  private func gather(_ fields: [String]) throws(MPIError) -> [[String]] {
    var bytes = Array(fields.joined(separator: "\u{1F}").utf8)
    let size = try communicator.allReduce(bytes.count, .maximum)
    let isThere = fields.isEmpty ? 0 : 1
    bytes += [UInt8](repeating: 0, count: size - bytes.count)
    let all = try communicator.gather(bytes + [UInt8(isThere)])
    return stride(from: 0, to: all.count, by: size + 1).map { start in
      guard all[start + size] == 1 else { return [] }
      let text = String(decoding: all[start..<start + size].prefix { $0 != 0 }, as: UTF8.self)
      return text.split(separator: "\u{1F}", omittingEmptySubsequences: false).map(String.init)
    }
  }

  /// A reduction that fits a quarter of what shared memory there is. Collective.
  private func reduce() throws -> ReductionFacts {
    var free = Double(FolderFacts(at: "/dev/shm").free)
    free = try communicator.allReduce(free, .minimum)
    let rank = Double(communicator.localRankCount)
    let rows = try communicator.allReduce(rank, .maximum)
    // Two turns of every rank's gradient.
    let sizes = [1 << 20, 1 << 18, 1 << 16, 1 << 12]
    let floats = sizes.first { (size: Int) in Double(8 * size) * rows < free / 4 } ?? 1 << 10
    var facts = ReductionFacts()
    facts.floats = floats
    var options = AllReduceOptions()
    options.sizes = [floats]
    options.rounds = 5
    options.tellsProgress = false
    do {
      let row = try AllReduceBench(options).run(on: communicator).rows[0]
      // A rank's gradient is read once, parameters are read and written once; a copy reads and writes on every rank.
      let bytes = Double(4 * floats)
      facts.bytesPerSecond = bytes * (rows + 2) / row.ours.median
      facts.copyBytesPerSecond = bytes * rows * 2 / row.copy.median
    } catch let error as AgreedError {
      facts.mistake = error.error.description
    }
    return facts
  }
}
