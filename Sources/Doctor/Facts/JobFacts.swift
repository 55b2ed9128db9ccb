// All that the findings are made of: facts of the job, its hosts and its ranks, on rank 0.

/// Who has started the doctor.
package enum Starter: Equatable, Sendable {
  /// A shell: the facts are of the machine, and of a trial job.
  case alone
  /// A launcher, as one of the ranks of a job.
  case launcher
  /// `srun`, as one of several tasks that cannot find each other.
  case strayTask(of: Int)
}

/// An `mpirun` that was found.
package struct FoundLauncher: Equatable, Sendable {
  package var path: String
  /// The first line of what it says to `--version`.
  package var version: String
  package var isOnPath: Bool

  package init(path: String, version: String, isOnPath: Bool = true) {
    self.path = path
    self.version = version
    self.isOnPath = isOnPath
  }
}

/// What came of a reduction over all ranks.
package struct ReductionFacts: Equatable, Sendable {
  package var floats = 0
  /// Why it was wrong; nil: every sum was what it should be.
  package var mistake: String?
  /// Bytes a second that a server's ranks have read and written, together: by the reduction with its update, and in a mere
  /// copy.
  package var bytesPerSecond = 0.0
  package var copyBytesPerSecond = 0.0

  package init() {}
}

/// What came of a job that the doctor has started.
package enum TrialFacts: Equatable, Sendable {
  /// What its own doctor found.
  case ran(ranks: Int, [Finding])
  /// Its last words.
  case failed(ranks: Int, String)
}

/// The facts of an examination.
package struct JobFacts: Equatable, Sendable {
  package var starter = Starter.alone
  /// How this program is called in commands.
  package var program = "distsgd"
  /// Of the job, or of the one that is to be started on this machine.
  package var wantedRanks = 8
  /// Variables that Open MPI, OpenBLAS and Slurm read.
  package var environment: [String: String] = [:]
  /// Of the MPI library: its words, the standard, and which threads may talk to it.
  package var mpi = ""
  package var mpiStandard = ""
  package var threadLevel: String?
  /// Those on `PATH`, in its order, and then those elsewhere.
  package var launchers: [FoundLauncher] = []
  /// Whether this system has apt-get.
  package var hasAPT = false
  /// Slots that Open MPI's default hostfile, or the launcher itself, names; nil: the cores count.
  package var namedSlots: Int?
  /// The text of `/proc/cpuinfo`, on rank 0's host.
  package var cpuInformation = ""
  package var hosts: [HostFacts] = []
  package var ranks: [RankFacts] = []
  package var reduction: ReductionFacts?
  package var trial: TrialFacts?

  package init() {}

  /// A setting of Open MPI's; nil where nobody has made it.
  func setting(_ name: String) -> String? { environment["OMPI_MCA_" + name] }

  /// Ranks of a host.
  func ranks(of host: Int) -> [Int] { ranks.indices.filter { ranks[$0].host == host } }

  /// `on node3: `, where there are several hosts.
  func place(_ host: Int) -> String { hosts.count > 1 ? "on \(hosts[host].name): " : "" }
}
