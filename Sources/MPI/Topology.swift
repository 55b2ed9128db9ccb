// Which ranks share memory, and where every rank stands in its server.

/// The placement of the ranks on servers. A server is a set of ranks that share memory; servers are
/// numbered in the order of their lowest rank.
public struct Topology: Sendable, Equatable {
  /// The server of each rank; length worldSize.
  public let serverOfRank: [Int]
  /// The ranks of each server, ascending: a rank's place in its row is its local rank.
  public let ranksOfServer: [[Int]]
  /// The host name of each server.
  public let hosts: [String]

  /// - Precondition: each number in `serverOfRank` is the index of a host.
  public init(serverOfRank: [Int], hosts: [String]) {
    precondition(serverOfRank.allSatisfy(hosts.indices.contains), "every rank has a server")
    self.serverOfRank = serverOfRank
    self.hosts = hosts
    var ranks = [[Int]](repeating: [], count: hosts.count)
    for (rank, server) in serverOfRank.enumerated() { ranks[server].append(rank) }
    ranksOfServer = ranks
  }

  /// Ranks.
  public var worldSize: Int { serverOfRank.count }
  /// Servers.
  public var serverCount: Int { hosts.count }

  /// The place of `rank` among the ranks of its server.
  public func localRank(of rank: Int) -> Int {
    ranksOfServer[serverOfRank[rank]].firstIndex(of: rank)!
  }
}
