// Where ranks stand on servers of equal and unequal size, in any order.
import MPI
import Testing

@Suite struct TopologyTests {
  @Test(
    arguments: [
      ([0], [[0]], [0]),
      ([0, 0, 0, 0], [[0, 1, 2, 3]], [0, 1, 2, 3]),
      ([0, 0, 1, 1], [[0, 1], [2, 3]], [0, 1, 0, 1]),
      // Dealt out in turn, as with --map-by node.
      ([0, 1, 2, 0, 1, 2, 0], [[0, 3, 6], [1, 4], [2, 5]], [0, 0, 0, 1, 1, 1, 2]),
      ([0, 1, 1, 1, 0, 2], [[0, 4], [1, 2, 3], [5]], [0, 0, 1, 2, 1, 0]),
    ] as [([Int], [[Int]], [Int])])
  func placesOfRanks(_ serverOfRank: [Int], _ ranksOfServer: [[Int]], _ localRanks: [Int]) {
    let hosts = ranksOfServer.indices.map { "host\($0)" }
    let topology = Topology(serverOfRank: serverOfRank, hosts: hosts)
    #expect(topology.worldSize == serverOfRank.count)
    #expect(topology.serverCount == ranksOfServer.count)
    #expect(topology.serverOfRank == serverOfRank)
    #expect(topology.ranksOfServer == ranksOfServer)
    #expect(topology.hosts == hosts)
    #expect(serverOfRank.indices.map(topology.localRank(of:)) == localRanks)
  }

  /// Ranks in containers of one name on one machine do not share memory.
  @Test func hostsMayHaveOneName() {
    let topology = Topology(serverOfRank: [0, 1], hosts: ["node", "node"])
    #expect(topology.serverCount == 2 && topology.ranksOfServer == [[0], [1]])
    #expect(topology != Topology(serverOfRank: [0, 0], hosts: ["node"]))
    #expect(topology != Topology(serverOfRank: [0, 1], hosts: ["node", "other"]))
    #expect(topology == Topology(serverOfRank: [0, 1], hosts: ["node", "node"]))
  }

  @Test func everyRankHasAServer() async {
    await #expect(processExitsWith: .failure) {
      _ = Topology(serverOfRank: [0, 2], hosts: ["a", "b"])
    }
    await #expect(processExitsWith: .failure) { _ = Topology(serverOfRank: [-1], hosts: ["a"]) }
  }
}
