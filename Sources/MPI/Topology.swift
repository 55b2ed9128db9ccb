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
  /// The place of each rank among those of its server; length worldSize.
  private let localRanks: [Int]

  /// - Precondition: each number in `serverOfRank` is the index of a host.
  public init(serverOfRank: [Int], hosts: [String]) {
    precondition(serverOfRank.allSatisfy(hosts.indices.contains), "every rank has a server")
    self.serverOfRank = serverOfRank
    self.hosts = hosts
    var ranks = [[Int]](repeating: [], count: hosts.count)
    localRanks = serverOfRank.enumerated().map { rank, server in
      ranks[server].append(rank)
      return ranks[server].count - 1
    }
    ranksOfServer = ranks
  }

  /// Ranks.
  public var worldSize: Int { serverOfRank.count }
  /// Servers.
  public var serverCount: Int { hosts.count }

  /// The place of `rank` among the ranks of its server.
  public func localRank(of rank: Int) -> Int { localRanks[rank] }
}
