// Whether jobs can be started: MPI, mpirun, root, slots.
import Text

/// `Open MPI 4.1.4` of `Open MPI v4.1.4, package: …` or `mpirun (Open MPI) 4.1.4`; the first words of anything else.
package func shortVersion(_ words: String) -> String {
  let line = words.prefix { $0 != "\n" && $0 != "," }
  let number = line.split { !$0.isNumber && $0 != "." }.first {
    $0.contains(".") && $0.first?.isNumber == true
  }
  guard let number, line.contains("Open MPI") else { return printable(String(line), limit: 60) }
  return "Open MPI \(number)"
}

func launcherFindings(_ facts: JobFacts) -> [Finding] {
  var findings = [mpiFinding(facts)]
  if case .strayTask(let tasks) = facts.starter { findings.append(strayFinding(tasks, facts)) }
  if facts.starter == .alone {
    findings.append(mpirunFinding(facts))
    findings.append(rootFinding(facts))
    findings.append(slotFinding(facts))
  }
  return findings
}

private func mpiFinding(_ facts: JobFacts) -> Finding {
  // One process does not start MPI, and cannot ask it for its threads.
  if case .ran(_, let found) = facts.trial, let finding = found.first(where: { $0.subject == "MPI" }) {
    return finding
  }
  let words = "\(shortVersion(facts.mpi)), MPI \(facts.mpiStandard)"
  let versions = Set(facts.ranks.map { shortVersion($0.mpi) })
  if versions.count > 1 {
    return Finding(
      .fault, "MPI",
      "the ranks have different versions: \(versions.sorted().joined(separator: ", ")); install the same on all hosts"
    )
  }
  guard let level = facts.threadLevel else { return Finding(.ok, "MPI", words) }
  return Finding(
    level == "MPI_THREAD_SINGLE" ? .fault : .ok, "MPI",
    "\(words), \(level)\(level == "MPI_THREAD_SINGLE" ? ": distsgd needs MPI_THREAD_FUNNELED" : "")")
}

private func strayFinding(_ tasks: Int, _ facts: JobFacts) -> Finding {
  Finding(
    .fault, "srun", "it has started \(tasks) tasks that cannot find each other",
    mendedBy: "srun --mpi=pmix --ntasks=\(tasks) \(facts.program)")
}

private func mpirunFinding(_ facts: JobFacts) -> Finding {
  let library = shortVersion(facts.mpi)
  guard let first = facts.launchers.first(where: \.isOnPath) else {
    if let other = facts.launchers.first(where: { shortVersion($0.version) == library }) {
      return Finding(
        .fault, "mpirun", "it is not on PATH", mendedBy: "export PATH=\(folder(of: other)):$PATH")
    }
    return Finding(
      .fault, "mpirun", "there is none, and jobs of several ranks need it: install Open MPI",
      mendedBy: facts.hasAPT ? "\(facts.asRoot)apt-get install -y openmpi-bin" : nil)
  }
  guard shortVersion(first.version) != library else {
    return Finding(.ok, "mpirun", "\(first.path), \(library)")
  }
  let right = facts.launchers.first { shortVersion($0.version) == library }
  return Finding(
    .fault, "mpirun",
    "the first on PATH, \(first.path), is of \(shortVersion(first.version)), and distsgd was built for \(library): its ranks would not find each other",
    mendedBy: right.map { "export PATH=\(folder(of: $0)):$PATH" })
}

private func rootFinding(_ facts: JobFacts) -> Finding {
  let names = ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"]
  guard facts.hosts.first?.isRoot == true else { return Finding(.ok, "root", "you are not root") }
  guard names.allSatisfy({ facts.environment[$0] == "1" }) else {
    return Finding(
      .fault, "root", "you are root, and mpirun refuses root",
      mendedBy: "export \(names.map { $0 + "=1" }.joined(separator: " "))")
  }
  return Finding(.ok, "root", "you are root, and mpirun is allowed to be")
}

/// Tasks of `SLURM_TASKS_PER_NODE`: `8(x2),4` is 20.
package func slurmTasks(_ text: String) -> Int? {
  var sum = 0
  for part in text.split(separator: ",") {
    let numbers = part.split { !$0.isNumber }.compactMap { Int($0) }
    guard let tasks = numbers.first else { return nil }
    sum += tasks * (numbers.count > 1 ? numbers[1] : 1)
  }
  return sum > 0 ? sum : nil
}

private func slotFinding(_ facts: JobFacts) -> Finding {
  guard let host = facts.hosts.first else { return Finding(.ok, "slots", "not known") }
  let slurm = facts.environment["SLURM_JOB_ID"].flatMap { _ in facts.environment["SLURM_TASKS_PER_NODE"] }
  let slots = slurm.flatMap(slurmTasks) ?? facts.namedSlots ?? host.cores
  let words = "\(counted(slots, "slot")) for \(counted(facts.wantedRanks, "rank"))"
  if slots >= facts.wantedRanks { return Finding(.ok, "slots", words) }
  if facts.setting("rmaps_base_oversubscribe") == "1" {
    return Finding(.ok, "slots", "\(words), and mpirun may start more ranks than slots")
  }
  return Finding(
    .fault, "slots", "\(words): mpirun refuses to start more ranks than slots",
    mendedBy: "export OMPI_MCA_rmaps_base_oversubscribe=1")
}

private func folder(of launcher: FoundLauncher) -> String {
  String(launcher.path.prefix(upTo: launcher.path.lastIndex(of: "/") ?? launcher.path.startIndex))
}

extension JobFacts {
  /// What stands before a command that root alone may give.
  var asRoot: String { hosts.first?.isRoot == true ? "" : "sudo " }
}
