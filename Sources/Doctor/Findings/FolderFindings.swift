// Memory that ranks share, the folder of MPI's session, and reading each other's memory.
import System
import Text

func folderFindings(_ facts: JobFacts) -> [Finding] {
  facts.hosts.indices.flatMap { host in
    [sharedMemoryFinding(facts, host), temporaryFinding(facts, host), readingFinding(facts, host)]
  }
}

/// Open MPI's buffers, and the parameters and gradients of all ranks of a host, lie there.
private func sharedMemoryFinding(_ facts: JobFacts, _ index: Int) -> Finding {
  let host = facts.hosts[index]
  let shared = host.shared
  let ranks = facts.starter == .launcher ? facts.ranks(of: index).count : facts.wantedRanks
  if let other = facts.setting("osc_sm_backing_directory") {
    return Finding(
      .ok, "shared memory", facts.place(index) + "in \(printable(other, limit: 200)), as you have it")
  }
  let instead = facts.hosts[index].otherFolders.first { $0.isWritable && !$0.isRemote && $0.free > 1 << 28 }
  let remedy = instead.map {
    "export OMPI_MCA_osc_sm_backing_directory=\($0.path) OMPI_MCA_btl_vader_backing_directory=\($0.path)"
  }
  guard shared.isWritable, shared.total > 0 else {
    return Finding(
      .fault, "shared memory", facts.place(index) + "\(shared.path) is not there, or cannot be written to",
      mendedBy: remedy)
  }
  // Open MPI takes some 5 MB for each rank; a parameter is a float, and so is its gradient on every rank.
  let room = max(0, shared.free - ranks * 5_000_000)
  let parameters = room / 4 / (ranks + 2)
  let words =
    "\(shared.path) has \(gigabytes(Double(shared.free))) GB free, for models of some \(rounded(parameters)) parameters on \(counted(ranks, "rank"))"
  guard parameters < 5_000_000 else { return Finding(.ok, "shared memory", facts.place(index) + words) }
  return Finding(
    .warning, "shared memory", facts.place(index) + words + " (of a container it is --shm-size)",
    mendedBy: remedy)
}

/// With one digit that matters.
private func rounded(_ count: Int) -> String {
  var unit = 1
  while count / unit >= 10 { unit *= 10 }
  return grouped(count / unit * unit)
}

private func temporaryFinding(_ facts: JobFacts, _ index: Int) -> Finding {
  let host = facts.hosts[index]
  let folder = host.temporary
  let better = host.otherFolders.first {
    $0.isWritable && !$0.isRemote && $0.free > 1 << 26 && $0.path != folder.path && $0.path.utf8.count < 40
  }
  let remedy = better.map { "export TMPDIR=\($0.path)" }
  let name = printable(folder.path, limit: 200)
  if !folder.isWritable {
    return Finding(
      .fault, "session", facts.place(index) + "MPI keeps its session in \(name), which cannot be written to",
      mendedBy: remedy)
  }
  if folder.free < 1 << 24 {
    return Finding(
      .fault, "session",
      facts.place(index) + "MPI keeps its session in \(name), which has \(readableBytes(folder.free)) free",
      mendedBy: remedy)
  }
  // The name of a socket there has 108 characters at most (unix(7)).
  if folder.path.utf8.count > 60 {
    return Finding(
      .warning, "session",
      facts.place(index)
        + "MPI keeps its session in \(name), whose name is so long that its sockets may get none",
      mendedBy: remedy)
  }
  if folder.isRemote {
    return Finding(
      .warning, "session",
      facts.place(index)
        + "MPI keeps its session in \(name), which is another machine's: memory that ranks share would go there",
      mendedBy: remedy)
  }
  return Finding(
    .ok, "session",
    facts.place(index) + "MPI keeps its session in \(name), with \(gigabytes(Double(folder.free))) GB free")
}

private func readingFinding(_ facts: JobFacts, _ index: Int) -> Finding {
  let error = facts.hosts[index].readingError
  if facts.setting("btl_vader_single_copy_mechanism") == "none" {
    return Finding(
      .ok, "memory reads", facts.place(index) + "ranks do not read each other's memory, as you have it")
  }
  guard error != 0 else {
    return Finding(
      .ok, "memory reads", facts.place(index) + "ranks may read each other's memory, for large messages")
  }
  return Finding(
    .warning, "memory reads",
    facts.place(index)
      + "ranks may not read each other's memory (\(errorText(Int32(clamping: error)))), and Open MPI tries to for large messages",
    mendedBy: "export OMPI_MCA_btl_vader_single_copy_mechanism=none")
}
