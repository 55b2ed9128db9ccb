// What comes to the socket of a server's first rank, from anybody; and the same as the job's own key would seal it.
import Runs

func readDatagram(_ input: FuzzInput) throws {
  let key = SipHash(key: (3, 5))
  let address = NetworkAddress("10.88.0.2")!
  let party = ServerDirectory.Party(addresses: [address], port: 9, process: 1)
  let directory = ServerDirectory(server: 0, parties: [party, party, party], key: key)
  let now = 1_000.0
  let server = ServerHeartbeats(directory, descriptor: -1, start: now - 60)

  if server.take(input.bytes, from: address, at: now) { throw Finding("a datagram without the key is taken") }

  // The first words of the input, and their hash.
  let count = Heartbeat.byteCount
  var bytes = [UInt8](repeating: 0, count: count)
  for (index, byte) in input.bytes.prefix(count - 8).enumerated() { bytes[index] = byte }
  let words = stride(from: 0, to: count - 8, by: 8).map { start in
    bytes[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  }
  let hash = key.hash(words)
  for index in 0..<8 { bytes[count - 8 + index] = UInt8(truncatingIfNeeded: hash >> UInt64(8 * index)) }
  try bytes.withUnsafeBytes { datagram in
    _ = server.take(datagram, from: address, at: now)
    if server.take(datagram, from: address, at: now) { throw Finding("a datagram is taken twice") }
    if server.take(datagram, from: NetworkAddress("10.88.0.3")!, at: now) {
      throw Finding("taken from elsewhere")
    }
  }
  let servers = Array(server.peers.keys) + (server.end.map { [$0.server] } ?? [])
  guard servers.allSatisfy({ 1...2 ~= $0 }), servers.count <= 1 else { throw Finding("servers \(servers)") }
  guard 0...60 ~= server.longestMove else { throw Finding("a move of \(server.longestMove) s in 60 s") }
  for peer in server.peers.values { try requireLine(peer.place.words) }
}
