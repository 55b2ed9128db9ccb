// Cores: how many there are for the ranks, who is bound to which, and what the BLAS makes of them.
import NeuralNet
import Runs
import System
import Text

func coreFindings(_ facts: JobFacts) -> [Finding] {
  facts.hosts.indices.flatMap { host in
    [coreFinding(facts, host), memoryFinding(facts, host)]
      + (facts.starter == .launcher ? [bindingFinding(facts, host)] : [])
  }
}

private func coreFinding(_ facts: JobFacts, _ index: Int) -> Finding {
  let host = facts.hosts[index]
  let ranks = facts.starter == .launcher ? facts.ranks(of: index).count : facts.wantedRanks
  var words = counted(host.cores, "core")
  if host.cpus != host.cores { words += " with \(host.cpus) hardware threads" }
  if host.cpus < host.onlineCPUs { words += " of this machine's \(host.onlineCPUs) CPUs" }
  if let quota = host.quota, quota < Double(host.cpus) {
    words += ", of whose time the control group grants \(fixed(quota, 1))"
  }
  let usable = max(1, min(host.cpus, host.quota.map { Int($0) } ?? host.cpus))
  guard ranks > usable else {
    return Finding(.ok, "cores", facts.place(index) + "\(words) for \(counted(ranks, "rank"))")
  }
  // As many ranks as cores, over all hosts.
  let most =
    facts.starter == .launcher
    ? facts.hosts.reduce(0) { $0 + max(1, min($1.cpus, $1.quota.map { Int($0) } ?? $1.cpus)) } : usable
  return Finding(
    .warning, "cores",
    facts.place(index)
      + "\(words) for \(counted(ranks, "rank")), which take turns: more than \(usable) are not faster",
    mendedBy: most > 1 ? "mpirun -np \(most) \(facts.program)" : facts.program)
}

private func memoryFinding(_ facts: JobFacts, _ index: Int) -> Finding {
  let host = facts.hosts[index]
  let ranks = facts.starter == .launcher ? facts.ranks(of: index).count : facts.wantedRanks
  let words = facts.place(index) + "\(host.memoryWords) \(gigabytes(host.memory)) GB"
  // A rank's libraries and BLAS buffer.
  let least = 100e6
  guard host.memory < Double(ranks) * least else { return Finding(.ok, "memory", words) }
  let fitting = max(1, Int(host.memory / least))
  return Finding(
    .warning, "memory", "\(words), and \(counted(ranks, "rank")) may want more",
    mendedBy: fitting > 1 ? "mpirun -np \(fitting) \(facts.program)" : facts.program)
}

/// Ranks that share a CPU although others are free, or are bound at all where they are too many.
private func bindingFinding(_ facts: JobFacts, _ index: Int) -> Finding {
  let ranks = facts.ranks(of: index)
  let all = Set(ranks.flatMap { facts.ranks[$0].cpus })
  let bound = ranks.filter { facts.ranks[$0].cpus.count < all.count }
  guard !bound.isEmpty || all.count < ranks.count && all.count < facts.hosts[index].onlineCPUs else {
    return Finding(
      .ok, "binding", facts.place(index) + "no rank is bound: each may use \(counted(all.count, "CPU"))")
  }
  for (place, first) in ranks.enumerated() {
    for second in ranks[(place + 1)...] {
      let common = Set(facts.ranks[first].cpus).intersection(facts.ranks[second].cpus)
      guard let cpu = common.min(),
        facts.ranks[first].cpus.count + facts.ranks[second].cpus.count < 2 * max(all.count, 2)
      else { continue }
      return Finding(
        .warning, "binding",
        facts.place(index)
          + "ranks \(first) and \(second) are both bound to CPU \(cpu), and take turns there",
        mendedBy: "export OMPI_MCA_hwloc_base_binding_policy=none")
    }
  }
  return Finding(.ok, "binding", facts.place(index) + "every rank is bound to CPUs of its own")
}

func kernelFindings(_ facts: JobFacts) -> [Finding] {
  guard let first = facts.ranks.first else { return [] }
  let version = first.blas.split(separator: " ").prefix(2).joined(separator: " ")
  let vectors = vectorExtension(facts.cpuInformation)
  let others = facts.ranks.indices.filter { facts.ranks[$0].kernel != first.kernel }
  if let other = others.first {
    return [
      Finding(
        .fault, "BLAS",
        "rank \(other) runs OpenBLAS's kernel \(facts.ranks[other].kernel), and rank 0 \(first.kernel): bits would depend on who computes what",
        mendedBy: "export \(BLAS.kernelVariable)=\(narrowest(facts.ranks.map(\.kernel)))")
    ]
  }
  if let builds = different(facts.ranks.map(\.blas)) {
    return [
      Finding(
        .warning, "BLAS",
        "rank \(builds) has another OpenBLAS than rank 0: last bits may depend on who computes what; install the same on all hosts"
      )
    ]
  }
  if let own = first.replacedKernel {
    return [
      Finding(
        .warning, "BLAS",
        "\(version) would run its kernel \(own), which uses a part of this processor's \(vectors.name); distsgd has it take \(first.kernel), and other programs do not",
        mendedBy: "export \(BLAS.kernelVariable)=\(first.kernel)")
    ]
  }
  let chosen = facts.environment[BLAS.kernelVariable]
  if let warning = kernelWarning(kernel: first.kernel, cpuInformation: facts.cpuInformation, chosen: chosen) {
    // What it advises is the command.
    let text = warning.lastIndex(of: ";").map { String(warning[..<$0]) } ?? warning
    return [
      Finding(
        .warning, "BLAS", text,
        mendedBy: chosen == nil ? "\(facts.program) --arithmetic portable" : "unset \(BLAS.kernelVariable)")
    ]
  }
  return [Finding(.ok, "BLAS", "\(version), kernel \(first.kernel), for a processor with \(vectors.name)")]
}

/// The kernel of all ranks that every one of their processors can run.
private func narrowest(_ kernels: [String]) -> String {
  kernels.min { (BLAS.vectorBits(ofKernel: $0) ?? .max, $0) < (BLAS.vectorBits(ofKernel: $1) ?? .max, $1) }
    ?? ""
}

/// The first that is not as the first of all.
private func different(_ words: [String]) -> Int? { words.firstIndex { $0 != words[0] } }

func versionFindings(_ facts: JobFacts) -> [Finding] {
  guard let first = facts.ranks.first, facts.ranks.count > 1 else { return [] }
  guard let other = different(facts.ranks.map(\.version)) else {
    return [Finding(.ok, "distsgd", "all ranks are of version \(first.version)")]
  }
  return [
    Finding(
      .fault, "distsgd",
      "rank \(other) is of version \(facts.ranks[other].version), and rank 0 of \(first.version): install the same on all hosts"
    )
  ]
}
