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

/// The cores behind those logical CPUs, hyper-threads counted once: what Open MPI calls slots.
package func availablePhysicalCores() -> Int {
  min(availableCores(), physicalCores(behind: (CPUSet.ofThisThread ?? .online).cpus))
}

/// - Parameter cpus: logical CPUs of this machine.
package func physicalCores(behind cpus: [Int]) -> Int {
  Set(
    cpus.map { cpu in
      textOfSystemFile("/sys/devices/system/cpu/cpu\(cpu)/topology/thread_siblings_list") ?? "\(cpu)"
    }
  ).count
}
