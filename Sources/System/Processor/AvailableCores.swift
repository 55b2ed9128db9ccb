// How many cores there really are for this process.

/// The logical CPUs that this process can use at the same time: those its affinity allows, or its control group's
/// quota where that is lower.
package func availableCores() -> Int {
  coresWithinQuota((CPUSet.ofThisThread ?? .online).count)
}

/// As many of `cpus` as the control group grants time for.
package func coresWithinQuota(_ cpus: Int) -> Int {
  guard let quota = cpuQuota() else { return cpus }
  return max(1, min(cpus, Int(quota.rounded(.down))))
}
