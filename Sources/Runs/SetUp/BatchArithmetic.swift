// How the global batch comes from servers, ranks and examples, in one line.
import DistributedSGD
import MPI

/// `global batch 128 = 2 servers × 4 ranks × 16 examples`, or `= 43 + 43 + 42 examples on 3 ranks` where the
/// ranks' shares differ.
package func batchArithmetic(globalBatch: Int, shards: Shards, topology: Topology) -> String {
  let shares = (0..<shards.worldSize).map { shards.exampleCount(of: $0, batch: globalBatch) }
  func counted(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
  let start = "global batch \(globalBatch) = "
  let localSizes = Set(topology.ranksOfServer.map(\.count))
  var text: String
  if shards.worldSize == 1 {
    text = start + "1 process × \(counted(globalBatch, "example"))"
  } else if Set(shares).count == 1, localSizes.count == 1 {
    let servers = topology.serverCount > 1 ? "\(topology.serverCount) servers × " : ""
    text = start + servers + "\(localSizes.first!) ranks × \(counted(shares[0], "example"))"
  } else if shares.count <= 8 {
    text = start + shares.map(String.init).joined(separator: " + ")
    text += " examples on \(shares.count) ranks"
  } else {
    let sizes = Set(shares).sorted(by: >)
    text =
      start + sizes.map { size in "\(shares.count { $0 == size }) ranks × \(size)" }.joined(separator: " + ")
    text += " examples"
  }
  if topology.serverCount > 1 && !text.contains("servers") {
    text += " of \(topology.serverCount) servers"
  }
  return text
}

/// On how many ranks a job would come to the same bits; nil where every batch is one piece.
func shardWords(_ shards: Shards) -> String? {
  shards.count == 1 ? nil : "\(shards.count) shards: the same bits on 1 to \(shards.count) ranks"
}
