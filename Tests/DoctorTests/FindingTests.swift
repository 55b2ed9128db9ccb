import Doctor
// The doctor's findings, on made-up facts: each of them is found where it is, and is not where it is not.
import Testing

/// A machine, and a job on it, with which nothing is wrong.
private func healthy(hosts: Int = 1, ranks: Int = 4, starter: Starter = .launcher) -> JobFacts {
  var facts = JobFacts()
  facts.starter = starter
  facts.mpi = "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4"
  facts.mpiStandard = "3.1"
  facts.threadLevel = starter == .launcher ? "MPI_THREAD_FUNNELED" : nil
  facts.launchers = [FoundLauncher(path: "/usr/bin/mpirun", version: "mpirun (Open MPI) 4.1.4")]
  facts.cpuInformation = "flags\t\t: sse2 avx avx2 fma\n"
  facts.wantedRanks = ranks
  for index in 0..<hosts {
    var host = HostFacts()
    host.name = "node\(index + 1)"
    (host.cpus, host.cores, host.onlineCPUs) = (8, 8, 8)
    host.memory = 64e9
    host.shared = FolderFacts("/dev/shm", total: 32 << 30, free: 32 << 30)
    host.temporary = FolderFacts("/tmp", total: 1 << 36, free: 1 << 36)
    host.otherFolders = [FolderFacts("/var/tmp", total: 1 << 36, free: 1 << 36)]
    host.resolvedName = "10.0.0.\(index + 1)"
    host.interfaces = [
      NetworkInterface("lo", 0x7F00_0001, 8, isLoopback: true),
      NetworkInterface("eth0", 0x0A00_0001 + UInt32(index), 24),
    ]
    facts.hosts.append(host)
    for _ in 0..<(starter == .launcher ? ranks / hosts : index == 0 ? 1 : 0) {
      var rank = RankFacts()
      rank.host = index
      rank.cpus = Array(0..<8)
      rank.blas = "OpenBLAS 0.3.21 DYNAMIC_ARCH"
      rank.mpi = facts.mpi
      rank.version = "0.1.0"
      facts.ranks.append(rank)
    }
  }
  if starter == .launcher {
    var reduction = ReductionFacts()
    reduction.floats = 1 << 20
    (reduction.bytesPerSecond, reduction.copyBytesPerSecond) = (5e9, 8e9)
    facts.reduction = reduction
  } else {
    facts.trial = .ran(ranks: 2, [Finding(.ok, "MPI", "…"), Finding(.ok, "reduction", "right")])
  }
  return facts
}

@Suite struct FindingTests {
  /// Those that are not well.
  private func wrong(_ facts: JobFacts) -> [Finding] { findings(facts).filter { $0.level != .ok } }

  private func expect(
    _ facts: JobFacts, _ level: Finding.Level, _ subject: String, _ words: [String], _ command: String?,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = wrong(facts)
    #expect(found.count == 1, "\(found)", sourceLocation: sourceLocation)
    guard let finding = found.first else { return }
    #expect(
      finding.level == level && finding.subject == subject && finding.command == command, "\(finding)",
      sourceLocation: sourceLocation)
    for word in words { #expect(finding.text.contains(word), "\(finding)", sourceLocation: sourceLocation) }
  }

  @Test func nothingIsWrong() {
    for facts in [healthy(), healthy(hosts: 2), healthy(starter: .alone)] {
      #expect(wrong(facts).isEmpty, "\(wrong(facts))")
      let report = DoctorReport(findings: findings(facts), ranks: 4, hosts: [])
      #expect(!report.hasFault && report.text.hasSuffix("nothing is wrong"))
      #expect(DoctorReport.findings(inJSON: Substring(report.json.description)) == report.findings)
    }
  }

  @Test func factsGoThroughMessages() {
    for host in healthy(hosts: 2).hosts {
      var host = host
      host.quota = 1.5
      #expect(HostFacts(fields: host.fields) == host)
      host.resolvedName = nil
      #expect(HostFacts(fields: host.fields) == host)
    }
    for rank in healthy().ranks {
      var rank = rank
      #expect(RankFacts(fields: rank.fields) == rank)
      rank.replacedKernel = "Prescott"
      #expect(RankFacts(fields: rank.fields) == rank)
    }
  }

  @Test func root() {
    var facts = healthy(starter: .alone)
    facts.hosts[0].isRoot = true
    expect(
      facts, .fault, "root", ["refuses root"],
      "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
    facts.environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    #expect(wrong(facts).count == 1, "one of both is not enough")
    facts.environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    #expect(wrong(facts).isEmpty)
    // A job that runs has been allowed to.
    var job = healthy()
    job.hosts[0].isRoot = true
    #expect(wrong(job).isEmpty)
  }

  @Test func slots() {
    var facts = healthy(ranks: 8, starter: .alone)
    facts.hosts[0].cores = 4
    expect(
      facts, .fault, "slots", ["4 slots for 8 ranks"], "export OMPI_MCA_rmaps_base_oversubscribe=1")
    facts.environment["OMPI_MCA_rmaps_base_oversubscribe"] = "1"
    #expect(wrong(facts).isEmpty)
    facts.environment = ["SLURM_JOB_ID": "7", "SLURM_TASKS_PER_NODE": "3(x2),2"]
    #expect(wrong(facts).isEmpty)
    facts.environment = [:]
    facts.namedSlots = 8
    #expect(wrong(facts).isEmpty)
    #expect(slurmTasks("8(x2),4") == 20 && slurmTasks("16") == 16 && slurmTasks("") == nil)
    #expect(Doctor.slots(inHostfile: "# nothing\n\n") == nil)
    #expect(Doctor.slots(inHostfile: "a slots=-4\nb slots=0\n") == 2)
    #expect(Doctor.slots(inHostfile: "a slots=\(Int.max)\nb slots=3\n") == .max)
    #expect(Doctor.slots(inHostfile: "a slots=4\nb  # one\n c max_slots=9 slots=2\n") == 7)
  }

  @Test func mpirun() {
    var facts = healthy(starter: .alone)
    facts.launchers = []
    facts.hasAPT = true
    expect(
      facts, .fault, "mpirun", ["there is none"], "sudo apt-get install -y openmpi-bin")
    facts.launchers = [
      FoundLauncher(path: "/opt/conda/bin/mpirun", version: "mpirun (Open MPI) 5.0.3"),
      FoundLauncher(path: "/usr/bin/mpirun", version: "mpirun (Open MPI) 4.1.4"),
    ]
    expect(
      facts, .fault, "mpirun", ["/opt/conda/bin/mpirun", "Open MPI 5.0.3", "Open MPI 4.1.4"],
      "export PATH=/usr/bin:$PATH")
    facts.launchers[0].version = "HYDRA build details:"
    expect(facts, .fault, "mpirun", ["HYDRA"], "export PATH=/usr/bin:$PATH")
    facts.launchers = [
      FoundLauncher(
        path: "/usr/lib64/openmpi/bin/mpirun", version: "mpirun (Open MPI) 4.1.4", isOnPath: false)
    ]
    expect(facts, .fault, "mpirun", ["not on PATH"], "export PATH=/usr/lib64/openmpi/bin:$PATH")
  }

  @Test func tasksOfSrun() {
    var facts = healthy(starter: .strayTask(of: 4))
    facts.trial = nil
    expect(
      facts, .fault, "srun", ["4 tasks"], "srun --mpi=pmix --ntasks=4 distsgd")
  }

  @Test func threads() {
    var facts = healthy()
    facts.threadLevel = "MPI_THREAD_SINGLE"
    expect(facts, .fault, "MPI", ["MPI_THREAD_FUNNELED"], nil)
    facts = healthy()
    facts.ranks[3].mpi = "Open MPI v5.0.1, package"
    expect(facts, .fault, "MPI", ["4.1.4", "5.0.1"], nil)
  }

  @Test func cores() {
    var facts = healthy(ranks: 16)
    expect(facts, .warning, "cores", ["8 cores for 16 ranks"], "mpirun -np 8 distsgd")
    facts = healthy()
    facts.hosts[0].quota = 1.5
    expect(
      facts, .warning, "cores", ["the control group grants 1.5", "more than 1 are not faster"], "distsgd")
    facts = healthy(hosts: 2, ranks: 8)
    facts.hosts[1].cpus = 2
    expect(facts, .warning, "cores", ["on node2", "of this machine's 8 CPUs"], "mpirun -np 10 distsgd")
    facts = healthy()
    facts.hosts[0].memory = 3e8
    facts.hosts[0].memoryWords = "the control group grants"
    expect(facts, .warning, "memory", ["control group grants 0.3 GB"], "mpirun -np 3 distsgd")
  }

  @Test func bindings() {
    var facts = healthy()
    for rank in 0..<4 { facts.ranks[rank].cpus = [2 * rank, 2 * rank + 1] }
    #expect(wrong(facts).isEmpty)
    for rank in 0..<4 { facts.ranks[rank].cpus = [rank] }
    #expect(wrong(facts).isEmpty)
    facts.ranks[3].cpus = [1]
    expect(
      facts, .warning, "binding", ["ranks 1 and 3 are both bound to CPU 1"],
      "export OMPI_MCA_hwloc_base_binding_policy=none")
    for rank in 0..<4 { facts.ranks[rank].cpus = [0] }
    expect(
      facts, .warning, "binding", ["ranks 0 and 1 are both bound to CPU 0"],
      "export OMPI_MCA_hwloc_base_binding_policy=none")
  }

  @Test func kernels() {
    var facts = healthy()
    for rank in 0..<4 {
      facts.ranks[rank].kernel = "SkylakeX"
      facts.ranks[rank].replacedKernel = "Prescott"
    }
    expect(
      facts, .warning, "BLAS", ["OpenBLAS 0.3.21", "Prescott", "SkylakeX"],
      "export OPENBLAS_CORETYPE=SkylakeX")
    facts = healthy()
    facts.ranks[2].kernel = "SkylakeX"
    expect(facts, .fault, "BLAS", ["rank 2", "SkylakeX", "Haswell"], "export OPENBLAS_CORETYPE=Haswell")
    facts = healthy()
    for rank in 0..<4 { facts.ranks[rank].kernel = "Prescott" }
    facts.environment["OPENBLAS_CORETYPE"] = "Prescott"
    expect(facts, .warning, "BLAS", ["4 of the 8 lanes"], "unset OPENBLAS_CORETYPE")
    facts.environment = [:]
    expect(facts, .warning, "BLAS", ["4 of the 8 lanes"], "distsgd --arithmetic portable")
    facts = healthy(hosts: 2)
    facts.ranks[3].blas = "OpenBLAS 0.3.29"
    expect(facts, .warning, "BLAS", ["rank 3 has another OpenBLAS"], nil)
    facts = healthy(hosts: 2)
    facts.ranks[1].version = "0.0.9"
    expect(facts, .fault, "distsgd", ["rank 1 is of version 0.0.9"], nil)
  }

  @Test func sharedMemory() {
    var facts = healthy()
    facts.hosts[0].shared.free = 64 << 20
    facts.hosts[0].shared.total = 64 << 20
    let command =
      "export OMPI_MCA_osc_sm_backing_directory=/var/tmp OMPI_MCA_btl_vader_backing_directory=/var/tmp"
    expect(facts, .warning, "shared memory", ["/dev/shm has 0.067 GB free", "--shm-size"], command)
    facts.hosts[0].shared.isWritable = false
    expect(facts, .fault, "shared memory", ["cannot be written to"], command)
    facts.hosts[0].otherFolders = []
    expect(facts, .fault, "shared memory", ["cannot be written to"], nil)
    facts.environment["OMPI_MCA_osc_sm_backing_directory"] = "/scratch"
    #expect(wrong(facts).isEmpty)
  }

  @Test func sessions() {
    var facts = healthy()
    facts.hosts[0].temporary.isWritable = false
    expect(facts, .fault, "session", ["/tmp", "cannot be written to"], "export TMPDIR=/var/tmp")
    facts.hosts[0].temporary = FolderFacts("/tmp", total: 1 << 30, free: 1 << 20)
    expect(facts, .fault, "session", ["1 MiB free"], "export TMPDIR=/var/tmp")
    facts.hosts[0].temporary = FolderFacts(
      "/" + String(repeating: "x", count: 80), total: 1 << 36, free: 1 << 36)
    expect(facts, .warning, "session", ["is so long"], "export TMPDIR=/var/tmp")
    facts.hosts[0].temporary = FolderFacts("/home/me", total: 1 << 36, free: 1 << 36, isRemote: true)
    expect(facts, .warning, "session", ["another machine's"], "export TMPDIR=/var/tmp")
  }

  @Test func foldersOfOtherMachines() {
    let mounts = "/dev/sda / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\ntmpfs /home/me/tmp tmpfs rw 0 0\n"
    for (path, isRemote) in [
      ("/tmp", false), ("/home", true), ("/home/me", true), ("/homes", false), ("/home/me/tmp/x", false),
    ] {
      #expect(isOfAnotherMachine(path, mounts: mounts) == isRemote, "\(path)")
    }
  }

  @Test func readingMemory() {
    var facts = healthy()
    facts.hosts[0].readingError = 1
    expect(
      facts, .warning, "memory reads", ["Operation not permitted"],
      "export OMPI_MCA_btl_vader_single_copy_mechanism=none")
    facts.environment["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none"
    #expect(wrong(facts).isEmpty)
  }

  @Test func hostNames() {
    var facts = healthy(hosts: 2)
    facts.hosts[1].name = "my_node"
    expect(facts, .fault, "host name", ["my_node"], "export OMPI_MCA_regx=naive")
    facts.environment["OMPI_MCA_regx"] = "naive"
    #expect(wrong(facts).isEmpty)
    facts = healthy(hosts: 2)
    facts.hosts[1].resolvedName = nil
    expect(
      facts, .warning, "host name", ["does not know 'node2'"],
      "echo '127.0.1.1 node2' | sudo tee -a /etc/hosts")
    facts.hosts[1].isRoot = true
    expect(facts, .warning, "host name", ["does not know"], "echo '127.0.1.1 node2' >> /etc/hosts")
    facts.hosts[1].resolvedName = "10.0.0.2"
    facts.hosts[1].resolvingSeconds = 5.01
    expect(facts, .warning, "host name", ["took 5.0 s"], "echo '127.0.1.1 node2' >> /etc/hosts")
  }

  @Test func clocks() {
    var facts = healthy(hosts: 2)
    facts.hosts[1].clockOffset = 0.02
    #expect(wrong(facts).isEmpty)
    facts.hosts[1].clockOffset = -90
    expect(
      facts, .warning, "clocks", ["node2", "90000.000 ms behind"], "sudo timedatectl set-ntp true")
  }

  @Test func reductions() {
    var facts = healthy()
    facts.reduction?.bytesPerSecond = 1e8
    expect(
      facts, .warning, "reduction", ["every sum is right", "1 % of"],
      "ps -eo pcpu,pid,args --sort=-pcpu | head -5")
    facts.reduction?.mistake = "element 3"
    expect(facts, .fault, "reduction", ["wrong: element 3"], nil)
    facts = healthy(starter: .alone)
    facts.trial = .failed(ranks: 2, "no space left")
    expect(facts, .fault, "job", ["no space left"], nil)
    facts.trial = .ran(ranks: 2, [Finding(.fault, "reduction", "it is wrong: …")])
    expect(facts, .fault, "reduction", ["wrong"], nil)
  }
}
