// Names and addresses: whether hosts find themselves, and whether they take each other for themselves.
import Text

func networkFindings(_ facts: JobFacts) -> [Finding] {
  facts.hosts.indices.map { nameFinding(facts, $0) } + [interfaceFinding(facts)]
}

private func nameFinding(_ facts: JobFacts, _ index: Int) -> Finding {
  let host = facts.hosts[index]
  let name = printable(host.name, limit: 64)
  // Open MPI 4.1 packs names into an expression, which ends at other characters.
  let isPlain = host.name.utf8.allSatisfy {
    ("a"..."z").contains(Character(UnicodeScalar($0))) || ("A"..."Z").contains(Character(UnicodeScalar($0)))
      || ("0"..."9").contains(Character(UnicodeScalar($0))) || $0 == UInt8(ascii: "-")
      || $0 == UInt8(ascii: ".")
  }
  if !isPlain, facts.setting("regx") != "naive" {
    return Finding(
      .fault, "host name", "'\(name)' has characters that Open MPI's lists of hosts end at",
      mendedBy: "export OMPI_MCA_regx=naive")
  }
  let isSlow = host.resolvingSeconds > 1
  guard let address = host.resolvedName, !isSlow else {
    let what =
      isSlow
      ? "'\(name)' took \(fixed(host.resolvingSeconds, 1)) s to resolve: the name server does not answer"
      : "the system does not know '\(name)'"
    return Finding(
      .warning, "host name", what,
      mendedBy: isPlain
        ? (host.isRoot
          ? "echo '127.0.1.1 \(host.name)' >> /etc/hosts"
          : "echo '127.0.1.1 \(host.name)' | sudo tee -a /etc/hosts") : nil)
  }
  return Finding(.ok, "host name", "\(name) is \(address)")
}

/// `172.17.0.1`
package func dotted(_ address: UInt32) -> String {
  [24, 16, 8, 0].map { "\(address >> UInt32($0) & 0xFF)" }.joined(separator: ".")
}

/// `a.b.c.d` or `a.b.c.d/n` as an address and its prefix; nil for anything else.
package func parseNetwork(_ text: some StringProtocol) -> (address: UInt32, prefix: Int)? {
  let halves = text.split(separator: "/", omittingEmptySubsequences: false)
  let bytes = halves[0].split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
  guard bytes.count == 4, halves.count <= 2, !bytes.contains(nil) else { return nil }
  let prefix = halves.count == 2 ? Int(halves[1]) : 32
  guard let prefix, 0...32 ~= prefix else { return nil }
  return (bytes.reduce(0) { $0 << 8 | UInt32($1!) }, prefix)
}

private func mask(_ prefix: Int) -> UInt32 { prefix == 0 ? 0 : ~0 << UInt32(32 - prefix) }

extension NetworkInterface {
  fileprivate var network: String { "\(dotted(address & mask(prefix)))/\(prefix)" }

  /// Whether it joins containers or virtual machines of one host alone.
  fileprivate var isBridge: Bool {
    [
      "docker", "virbr", "lxcbr", "lxdbr", "br-", "cni", "podman", "vmnet", "vboxnet", "kube-bridge",
      "flannel",
    ]
    .contains { name.hasPrefix($0) }
  }

  /// Whether a setting such as `eth0,10.0.0.0/8` names it.
  fileprivate func isNamed(in list: String) -> Bool {
    list.split(separator: ",").contains { word in
      if word == name { return true }
      guard let (network, bits) = parseNetwork(word) else { return false }
      return (network ^ address) & mask(bits) == 0
    }
  }

  /// Whether Open MPI's connections may go by it, as its settings are.
  fileprivate func isUsed(_ facts: JobFacts) -> Bool {
    guard !isLoopback else { return false }
    return ["btl", "oob"].contains { layer in
      if let list = facts.setting("\(layer)_tcp_if_include") { return isNamed(in: list) }
      if let list = facts.setting("\(layer)_tcp_if_exclude") { return !isNamed(in: list) }
      return true
    }
  }
}

private func interfaceFinding(_ facts: JobFacts) -> Finding {
  let used = facts.hosts.map { host in host.interfaces.filter { $0.isUsed(facts) } }
  for (index, interfaces) in used.enumerated() {
    for interface in interfaces {
      if let other = used[(index + 1)...].firstIndex(where: {
        $0.contains { $0.address == interface.address }
      }) {
        return Finding(
          .fault, "network",
          "\(facts.hosts[index].name) and \(facts.hosts[other].name) both have \(dotted(interface.address)), that of \(interface.name): a rank that looks for the other one finds itself, and the job hangs or ends",
          mendedBy: remedy(facts, used))
      }
    }
  }
  if let bridge = used.joined().first(where: \.isBridge) {
    return Finding(
      .warning, "network",
      "\(bridge.name) (\(dotted(bridge.address))) leads to no other host, and others often have one with the same address: a job on several hosts hangs or ends there",
      mendedBy: remedy(facts, used))
  }
  let shown = used.first?.map { "\($0.name) \(dotted($0.address))/\($0.prefix)" } ?? []
  return Finding(
    .ok, "network",
    shown.isEmpty
      ? "no interface to other hosts"
      : "\(listed(shown))\(facts.hosts.count > 1 ? " on \(facts.hosts[0].name); no two hosts share an address" : "")"
  )
}

/// Has Open MPI use what the hosts have in common, or leave out what they must not use.
private func remedy(_ facts: JobFacts, _ used: [[NetworkInterface]]) -> String {
  let addresses = used.joined().map(\.address)
  let good = used.map { interfaces in
    interfaces.filter { interface in
      !interface.isBridge && addresses.count { $0 == interface.address } == 1
    }
  }
  func common(_ key: (NetworkInterface) -> String) -> [String] {
    let sets = good.map { Set($0.map(key)) }
    return sets.dropFirst().reduce(sets.first ?? []) { $0.intersection($1) }.sorted()
  }
  let names = common(\.name)
  let networks = common(\.network)
  // By name where the names are those of the same networks everywhere.
  let isAlike = Set(good.map { Set($0.map { $0.name + $0.network }) }).count == 1
  let included = isAlike && !names.isEmpty ? names : networks.isEmpty ? names : networks
  let layers = ["btl", "oob"]
  let variables = { (word: String) in layers.map { "OMPI_MCA_\($0)_tcp_if_\(word)" } }
  if included.isEmpty {
    let bad = used.joined().filter { interface in
      interface.isBridge || addresses.count { $0 == interface.address } > 1
    }
    let list = (["127.0.0.1/8"] + Set(bad.map(\.name)).sorted()).joined(separator: ",")
    return command("exclude", list, others: variables("include").filter { facts.environment[$0] != nil })
  }
  return command(
    "include", included.joined(separator: ","),
    others: variables("exclude").filter { facts.environment[$0] != nil })
}

/// Open MPI takes one of both lists alone.
private func command(_ word: String, _ list: String, others: [String]) -> String {
  let start = others.isEmpty ? "" : "unset \(others.joined(separator: " ")); "
  return start + "export "
    + ["btl", "oob"].map { "OMPI_MCA_\($0)_tcp_if_\(word)=\(list)" }.joined(separator: " ")
}

func clockFindings(_ facts: JobFacts) -> [Finding] {
  guard facts.hosts.count > 1 else { return [] }
  let worst = facts.hosts.max { abs($0.clockOffset) < abs($1.clockOffset) }!
  let words = readableMeasure(abs(worst.clockOffset) * 1e3)
  guard abs(worst.clockOffset) > 0.5 else {
    return [Finding(.ok, "clocks", "those of all hosts agree within \(words) ms")]
  }
  return [
    Finding(
      .warning, "clocks",
      "that of \(worst.name) is \(words) ms \(worst.clockOffset > 0 ? "ahead" : "behind"): the times of files and logs do not fit together; on that host run",
      mendedBy: "sudo timedatectl set-ntp true")
  ]
}
