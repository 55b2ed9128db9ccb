// Whether the sums over all ranks are right, and how near they come to what memory can move; or what a trial job said.
import Text

func reductionFindings(_ facts: JobFacts) -> [Finding] {
  if let trial = facts.trial { return findings(of: trial, facts) }
  guard let reduction = facts.reduction else { return [] }
  if let mistake = reduction.mistake { return [Finding(.fault, "reduction", "it is wrong: \(mistake)")] }
  let share = reduction.bytesPerSecond / reduction.copyBytesPerSecond
  let text =
    "\(grouped(reduction.floats)) floats over \(counted(facts.ranks.count, "rank")): every sum is right; \(fixed(reduction.bytesPerSecond * 1e-9, 1)) GB/s a host, \(fixed(100 * share, 0)) % of what its ranks copy in memory at the same time"
  // Beyond one server the network is the ceiling, and with ranks that take turns the turns are.
  let isRoomy = facts.hosts.count == 1 && facts.ranks.count <= facts.hosts[0].cpus
  guard isRoomy, facts.ranks.count > 1, share < 0.1 else { return [Finding(.ok, "reduction", text)] }
  return [
    Finding(
      .warning, "reduction", text + ": something else uses these cores or this memory; see what",
      mendedBy: "ps -eo pcpu,pid,args --sort=-pcpu | head -5")
  ]
}

private func findings(of trial: TrialFacts, _ facts: JobFacts) -> [Finding] {
  switch trial {
  case .failed(let ranks, let words):
    return [
      Finding(.fault, "job", "a job of \(ranks) ranks did not run here: \(printable(words, limit: 300))")
    ]
  case .ran(let ranks, let found):
    // What the machine alone shows is told already.
    return [Finding(.ok, "job", "a job of \(ranks) ranks runs here")]
      + found.filter { $0.subject == "reduction" }
  }
}
