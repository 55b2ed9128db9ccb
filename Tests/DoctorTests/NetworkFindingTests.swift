import Doctor
// Interfaces that hosts must not use for each other, and the setting that leaves them out.
import Testing

@Suite struct NetworkFindingTests {
  private let docker = NetworkInterface("docker0", 0xAC11_0001, 16)

  /// Hosts with the interfaces that are given.
  private func facts(_ hosts: [[NetworkInterface]]) -> JobFacts {
    var facts = JobFacts()
    facts.hosts = hosts.enumerated().map { index, interfaces in
      var host = HostFacts()
      host.name = "node\(index + 1)"
      host.interfaces = [NetworkInterface("lo", 0x7F00_0001, 8, isLoopback: true)] + interfaces
      return host
    }
    return facts
  }

  private func finding(_ facts: JobFacts) throws -> Finding {
    try #require(findings(facts).first { $0.subject == "network" })
  }

  private func include(_ words: String) -> String {
    "export OMPI_MCA_btl_tcp_if_include=\(words) OMPI_MCA_oob_tcp_if_include=\(words)"
  }

  @Test func theSameAddressOnTwoHosts() throws {
    let found = try finding(
      facts([
        [NetworkInterface("eth0", 0x0A00_0001, 24), docker],
        [NetworkInterface("eth0", 0x0A00_0002, 24), docker],
      ]))
    #expect(found.level == .fault && found.command == include("eth0"), "\(found)")
    for word in ["node1 and node2", "172.17.0.1", "docker0"] {
      #expect(found.text.contains(word), "\(found)")
    }
  }

  /// Interfaces of the same network have other names: the network is named.
  @Test func byTheNetwork() throws {
    let found = try finding(
      facts([
        [docker, NetworkInterface("eno1", 0x0A00_0001, 24)],
        [NetworkInterface("enp3s0", 0x0A00_0002, 24), docker],
      ]))
    #expect(found.level == .fault && found.command == include("10.0.0.0/24"), "\(found)")
  }

  /// Two virtual machines behind the same address translation: what else they have in common is taken.
  @Test func anyAddressCounts() throws {
    let shared = NetworkInterface("eth0", 0x0A00_020F, 24)
    let found = try finding(
      facts([
        [shared, NetworkInterface("eth1", 0xC0A8_3801, 24)],
        [shared, NetworkInterface("eth1", 0xC0A8_3802, 24)],
      ]))
    #expect(found.level == .fault && found.command == include("eth1"), "\(found)")
  }

  @Test func nothingInCommonIsLeft() throws {
    let found = try finding(facts([[docker], [docker]]))
    #expect(
      found.level == .fault
        && found.command
          == "export OMPI_MCA_btl_tcp_if_exclude=127.0.0.1/8,docker0 OMPI_MCA_oob_tcp_if_exclude=127.0.0.1/8,docker0",
      "\(found)")
  }

  @Test(arguments: ["docker0", "virbr0", "br-5f2a", "lxdbr0", "cni0"]) func aBridge(_ name: String) throws {
    let found = try finding(
      facts([[NetworkInterface("eth0", 0x0A00_0001, 24), NetworkInterface(name, 0xC0A8_7A01, 24)]]))
    #expect(found.level == .warning && found.command == include("eth0"), "\(found)")
    #expect(found.text.contains("\(name) (192.168.122.1)"))
  }

  @Test func settingsThatAreThere() throws {
    var facts = facts([
      [NetworkInterface("eth0", 0x0A00_0001, 24), docker],
      [NetworkInterface("eth0", 0x0A00_0002, 24), docker],
    ])
    facts.environment = ["OMPI_MCA_btl_tcp_if_include": "eth0", "OMPI_MCA_oob_tcp_if_include": "10.0.0.0/8"]
    #expect(try finding(facts).level == .ok)
    facts.environment = [
      "OMPI_MCA_btl_tcp_if_exclude": "lo,docker0", "OMPI_MCA_oob_tcp_if_exclude": "172.17.0.0/16",
    ]
    #expect(try finding(facts).level == .ok)
    // The ranks' messages go round it, and the daemons' do not.
    facts.environment = ["OMPI_MCA_btl_tcp_if_exclude": "lo,docker0"]
    let found = try finding(facts)
    #expect(found.level == .fault && found.command == "unset OMPI_MCA_btl_tcp_if_exclude; " + include("eth0"))
  }

  @Test func networksAsText() {
    #expect(parseNetwork("10.1.2.3/8")! == (0x0A01_0203, 8) && parseNetwork("10.1.2.3")! == (0x0A01_0203, 32))
    for text in ["", "eth0", "1.2.3", "1.2.3.256", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/8/8"] {
      #expect(parseNetwork(text) == nil, "\(text)")
    }
    #expect(dotted(0xAC11_0001) == "172.17.0.1")
  }
}
