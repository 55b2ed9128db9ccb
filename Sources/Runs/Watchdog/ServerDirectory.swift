// Where the servers of a job hear each other's datagrams, and the key that makes them theirs.
import CSockets
import Glibc
import MPI

/// An IPv6 address, or an IPv4 address as ::ffff:a.b.c.d.
package struct NetworkAddress: Hashable, Sendable {
  /// Eight bytes each, the first one lowest.
  fileprivate let words: [UInt64]
  /// Of an address that means something on one cable alone: by which of this machine's interfaces it is reached; 0 where
  /// that is not known. No part of the address: each machine has numbers of its own.
  package private(set) var scope: UInt32 = 0

  fileprivate init(words: [UInt64]) { self.words = words }

  package static func == (one: NetworkAddress, other: NetworkAddress) -> Bool { one.words == other.words }
  package func hash(into hasher: inout Hasher) { hasher.combine(words) }

  /// Whether it is one of fe80::/10.
  package var isOfOneCable: Bool { words[0] & 0xC0FF == 0x80FE }

  /// The same, reached by one of this machine's interfaces.
  fileprivate func reached(by scope: UInt32) -> NetworkAddress {
    var address = self
    address.scope = scope
    return address
  }

  package init(_ place: csockets_place) {
    scope = place.scope
    words = withUnsafeBytes(of: place.address) { bytes in
      [0, 8].map { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self)) }
    }
  }

  /// - Parameter text: `127.0.0.1` or `::1`.
  package init?(_ text: String) {
    var place = csockets_place()
    let isRead = withUnsafeMutableBytes(of: &place.address) {
      inet_pton(AF_INET6, text.contains(":") ? text : "::ffff:\(text)", $0.baseAddress!) == 1
    }
    guard isRead else { return nil }
    self.init(place)
  }

  func place(port: UInt16) -> csockets_place {
    var place = csockets_place()
    (place.port, place.scope) = (port, scope)
    withUnsafeMutableBytes(of: &place.address) { bytes in
      for (index, word) in words.enumerated() {
        bytes.storeBytes(of: word.littleEndian, toByteOffset: 8 * index, as: UInt64.self)
      }
    }
    return place
  }
}

/// What every rank of a job knows of its servers.
package struct ServerDirectory: Sendable {
  /// A server, or the rank there that speaks for it.
  package struct Party: Sendable {
    /// Whence its datagrams come, and whither to send; none where it has no socket.
    package var addresses: [NetworkAddress]
    package var port: UInt16
    package var process: pid_t

    package init(addresses: [NetworkAddress], port: UInt16, process: pid_t) {
      self.addresses = addresses
      self.port = port
      self.process = process
    }
  }

  /// That of this process.
  package let server: Int
  package let parties: [Party]
  let key: SipHash
  /// The interfaces by which this machine reaches addresses of one cable.
  private let scopes: [UInt32]

  /// - Parameter scopes: nil: those of this machine.
  package init(server: Int, parties: [Party], key: SipHash, scopes: [UInt32]? = nil) {
    self.server = server
    self.parties = parties
    self.key = key
    self.scopes = scopes ?? Self.ownScopes()
  }

  /// Of a server's addresses no more are told.
  private static let addressLimit = 32

  /// The first rank of each server tells where it listens, and rank 0 draws the key. Both travel through MPI alone,
  /// so that nobody outside the job knows the key. Collective.
  /// - Parameter port: of this process's socket; nil where it has none.
  init(port: UInt16?, over communicator: any Communicator) throws(MPIError) {
    let topology = communicator.topology
    let server = topology.serverOfRank[communicator.rank]
    let own = port == nil ? ([], []) : Self.ownAddresses()
    // The key, then for each server: its port, process, and how many addresses of the network and of itself it has.
    let facts = try Self.told(count: 2 + 4 * topology.serverCount, over: communicator) { words in
      if communicator.rank == 0 { for index in 0..<2 { words[index] = UInt64.random(in: 0...UInt64.max) } }
      guard let port else { return }
      let row = [UInt64(port), UInt64(getpid()), UInt64(own.0.count), UInt64(own.1.count)]
      for (index, word) in row.enumerated() { words[2 + 4 * server + index] = word }
    }
    func counts(_ server: Int) -> (ofNetwork: Int, ofItself: Int) {
      (Int(facts[2 + 4 * server + 2]), Int(facts[2 + 4 * server + 3]))
    }
    // Most servers have few addresses, and a job may have many servers.
    var starts = [0]
    for server in 0..<topology.serverCount {
      starts.append(starts[server] + 2 * (counts(server).ofNetwork + counts(server).ofItself))
    }
    let words = try Self.told(count: starts.last!, over: communicator) { words in
      for (index, word) in (own.0 + own.1).flatMap(\.words).enumerated() {
        words[starts[server] + index] = word
      }
    }
    func addresses(_ server: Int) -> (ofNetwork: [NetworkAddress], ofItself: [NetworkAddress]) {
      let all = stride(from: starts[server], to: starts[server + 1], by: 2).map {
        NetworkAddress(words: [words[$0], words[$0 + 1]])
      }
      let count = counts(server).ofNetwork
      return (Array(all.prefix(count)), Array(all.dropFirst(count)))
    }
    let here = Set(addresses(server).ofNetwork)
    let parties = (0..<topology.serverCount).map { other in
      let row = 2 + 4 * other
      let (ofNetwork, ofItself) = addresses(other)
      // A server's name for itself leads there only from the same network: servers of one machine, in containers.
      return Party(
        addresses: ofNetwork + (Set(ofNetwork) == here ? ofItself : []),
        port: UInt16(truncatingIfNeeded: facts[row]), process: pid_t(truncatingIfNeeded: facts[row + 1]))
    }
    self.init(server: server, parties: parties, key: SipHash(key: (facts[0], facts[1])))
  }

  /// Words each of which one rank alone tells. Collective.
  /// - Parameter tell: fills in this rank's; the others stay 0.
  private static func told(
    count: Int, over communicator: any Communicator, _ tell: (UnsafeMutableBufferPointer<UInt64>) -> Void
  ) throws(MPIError) -> [UInt64] {
    let words = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: count)
    defer { words.deallocate() }
    words.initialize(repeating: 0)
    tell(words)
    try communicator.allReduce(words, .sum)
    return Array(words)
  }

  /// This machine's addresses: those that others may reach, and those of itself (127.0.0.1, ::1).
  private static func ownAddresses() -> ([NetworkAddress], [NetworkAddress]) {
    let all = interfaceAddresses()
    func some(_ loopback: Bool, _ limit: Int) -> [NetworkAddress] {
      var found: [NetworkAddress] = []
      // Those that lead anywhere come first.
      for ofOneCable in [false, true] {
        for (address, isLoopback) in all
        where isLoopback == loopback && address.isOfOneCable == ofOneCable && found.count < limit {
          if !found.contains(address) { found.append(address) }
        }
      }
      return found
    }
    return (some(false, addressLimit - 2), some(true, 2))
  }

  private static func interfaceAddresses() -> [(NetworkAddress, isLoopback: Bool)] {
    var places = [csockets_place](repeating: csockets_place(), count: 256)
    var isLoopback = [Int32](repeating: 0, count: places.count)
    let count = csockets_own_addresses(&places, &isLoopback, places.count)
    return (0..<count).map { (NetworkAddress(places[$0]), isLoopback[$0] != 0) }
  }

  private static func ownScopes() -> [UInt32] {
    Set(interfaceAddresses().filter { $0.0.isOfOneCable && !$0.isLoopback }.map { $0.0.scope }).sorted()
  }

  /// Tells the other servers that the job ends and that a user knows why. Any rank of a server may say it; only the
  /// first such word of a server counts.
  func tellTheEnd(code: Int32) {
    var port: UInt16 = 0
    let descriptor = csockets_open(&port)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    for receiver in parties.indices where receiver != server {
      var word = Heartbeat(from: server, to: receiver, counter: Heartbeat.lastCounter)
      word.ending = code
      send(word, to: parties[receiver].addresses, through: descriptor)
    }
  }

  /// An address of one cable that nobody has been heard at yet may be at the end of any of this machine's.
  private func reachable(_ address: NetworkAddress) -> [NetworkAddress] {
    address.isOfOneCable && address.scope == 0 ? scopes.map(address.reached) : [address]
  }

  func send(_ heartbeat: Heartbeat, to addresses: [NetworkAddress], through descriptor: Int32) {
    heartbeat.withDatagram(sealedWith: key) { bytes in
      for address in addresses.flatMap(reachable) {
        var place = address.place(port: parties[heartbeat.receiver].port)
        _ = csockets_send(descriptor, &place, bytes.baseAddress!, bytes.count)
      }
    }
  }
}
