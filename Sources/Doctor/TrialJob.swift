// Other programs that the doctor runs: the launchers that there are, and a job of its own.
import Glibc
import Runs
import System

func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

/// Every `mpirun` on `PATH`, and those at the usual places beside it.
func foundLaunchers() -> [FoundLauncher] {
  let onPath = (environmentValue("PATH") ?? "/usr/bin:/bin").split(separator: ":").map(String.init)
  let elsewhere = ["/usr/bin", "/usr/local/bin", "/opt/openmpi/bin", "/usr/lib64/openmpi/bin"]
  var launchers: [FoundLauncher] = []
  for folder in onPath + elsewhere {
    let path = "\(folder)/mpirun"
    guard isExecutable(path), !launchers.contains(where: { $0.path == path }) else { continue }
    let (_, words) = hearChild(path, ["--version"])
    launchers.append(
      FoundLauncher(
        path: path, version: String(words.prefix { $0 != "\n" }), isOnPath: onPath.contains(folder)))
  }
  return launchers
}

/// Slots of Open MPI's default hostfile; nil where it names no host.
func namedSlots() -> Int? {
  guard
    let path = environmentValue("OMPI_MCA_orte_default_hostfile")
      ?? existing("/etc/openmpi/openmpi-default-hostfile"),
    let text = textOfSystemFile(path)
  else { return nil }
  return slots(inHostfile: text)
}

private func existing(_ path: String) -> String? { access(path, R_OK) == 0 ? path : nil }

/// `node1 slots=4`, a host a line; one slot where none are named, or fewer.
package func slots(inHostfile text: String) -> Int? {
  let hosts = text.split(separator: "\n").map { $0.prefix { $0 != "#" } }.filter {
    !$0.allSatisfy(\.isWhitespace)
  }
  guard !hosts.isEmpty else { return nil }
  return hosts.reduce(0) { sum, line in
    let word = line.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("slots=") }
    let slots = word.flatMap { Int($0.dropFirst(6)) } ?? 1
    let (total, overflow) = sum.addingReportingOverflow(max(1, slots))
    return overflow ? .max : total
  }
}

/// A doctor under mpirun, with what mpirun needs here.
func trialJob(ranks: Int, executable: String) -> TrialFacts {
  // A machine of too few slots is another finding.
  let (end, words) = RankStart(
    ranks: ranks, on: .here(isBound: false), command: [executable, "doctor", "--json"]
  ).heard(beside: ["OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_mpi_yield_when_idle": "1"])
  let lines = words.split(separator: "\n")
  // One line is the report; Open MPI's own words may stand before it.
  if let found = lines.lazy.compactMap(DoctorReport.findings(inJSON:)).first {
    return .ran(ranks: ranks, found)
  }
  let last = lines.last { $0.contains { $0.isLetter } }.map(String.init)
  return .failed(ranks: ranks, end == .notFound ? "there is no mpirun on PATH" : last ?? "it said nothing")
}
