// How much processor time a control group grants: a container may have fewer cores than it sees.
import Glibc

/// The cores' worth of time that this process's control group, or one above it, allows; nil without a limit.
///
/// Version 2 says it in `cpu.max`; version 1 in `cpu.cfs_quota_us` and `cpu.cfs_period_us` of its cpu hierarchy.
///
/// - Parameter root: the folder that holds `proc` and `sys`.
package func cpuQuota(root: String = "") -> Double? {
  var quotas: [Double] = []
  for group in controlGroups(of: "cpu", root: root) {
    quotas += quota(ofGroup: group.folder, isVersion2: group.isVersion2)
  }
  return quotas.min()
}

/// The folders of this process's control groups, and of those above them, that may limit a resource.
func controlGroups(of controller: String, root: String) -> [(folder: String, isVersion2: Bool)] {
  var groups: [(folder: String, isVersion2: Bool)] = []
  for line in (textOfSystemFile("\(root)/proc/self/cgroup") ?? "").split(separator: "\n") {
    // hierarchy:controllers:path
    let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3 else { continue }
    let base: String
    if fields[1].isEmpty {
      base = "\(root)/sys/fs/cgroup"
    } else if fields[1].split(separator: ",").contains(where: { $0 == controller }) {
      base = "\(root)/sys/fs/cgroup/\(controller)"
    } else {
      continue
    }
    groups += ancestry(fields[2]).map { (base + $0, fields[1].isEmpty) }
  }
  return groups
}

/// A group's path, its parent's and so on to the root's, which is empty. Within a container the path may be the
/// host's and lead nowhere; the container's own group then is the root.
private func ancestry(_ path: Substring) -> [String] {
  var parts = path.split(separator: "/")
  var paths = [""]
  while !parts.isEmpty {
    paths.append("/" + parts.joined(separator: "/"))
    parts.removeLast()
  }
  return paths
}

private func quota(ofGroup folder: String, isVersion2: Bool) -> [Double] {
  let text =
    isVersion2
    ? textOfSystemFile("\(folder)/cpu.max") ?? ""
    : (textOfSystemFile("\(folder)/cpu.cfs_quota_us") ?? "") + " "
      + (textOfSystemFile("\(folder)/cpu.cfs_period_us") ?? "")
  // "max" in version 2 and -1 in version 1 mean no limit.
  let numbers = text.split(whereSeparator: \.isWhitespace).map { Double($0) ?? -1 }
  guard numbers.count == 2, numbers[0] > 0, numbers[1] > 0 else { return [] }
  return [numbers[0] / numbers[1]]
}
