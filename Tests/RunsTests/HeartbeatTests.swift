// What servers believe of the datagrams that reach them, and what outsiders cannot make them believe.
import CSockets
import DistributedSGD
import Foundation
import Runs
import Testing

@Suite struct SipHashTests {
  /// Of the reference implementation: the key is 00 … 0f, the message 00, 01, … of so many bytes.
  @Test(
    arguments: [
      (0, 0x726f_db47_dd0e_0e31), (8, 0x93f5_f579_9a93_2462), (16, 0x3f2a_cc7f_57c2_9bdb),
      (56, 0xb78d_bfaf_3a8d_83bd), (64, 0xacd2_c40b_8502_cad8),
    ] as [(Int, UInt64)])
  func vectors(_ count: Int, _ expected: UInt64) {
    let key = SipHash(key: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
    let bytes = (0..<count).map { UInt8($0) }
    let words = stride(from: 0, to: count, by: 8).map { start in
      bytes[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
    #expect(key.hash(words) == expected)
  }
}

/// Servers of one job, at addresses of this machine.
private struct Job {
  let key = SipHash(key: (1, 2))
  let address: NetworkAddress
  /// The network's: another machine's, and the attacker's.
  let otherAddress = NetworkAddress("127.0.0.2")!
  /// Of the servers behind the first, where they are not at its address.
  var others: [NetworkAddress] = []
  var descriptors: [Int32] = []
  var ports: [UInt16] = []

  init(servers: Int = 3, at text: String = "127.0.0.1") {
    address = NetworkAddress(text)!
    for _ in 0..<servers {
      var port: UInt16 = 0
      descriptors.append(csockets_open(&port))
      ports.append(port)
    }
  }

  func directory(of server: Int) -> ServerDirectory {
    ServerDirectory(
      server: server,
      parties: ports.enumerated().map { server, port in
        let own = server > 0 && server <= others.count ? others[server - 1] : address
        return ServerDirectory.Party(addresses: [own], port: port, process: getpid())
      },
      key: key)
  }

  func server(_ number: Int) -> ServerHeartbeats {
    ServerHeartbeats(directory(of: number), descriptor: descriptors[number], start: 0)
  }

  /// A datagram as the servers make them, or as an outsider changes or invents it.
  func datagram(
    from sender: Int = 1, to receiver: Int = 0, counter: UInt64 = 1, key: SipHash? = nil,
    _ change: (inout Heartbeat) -> Void = { _ in }
  ) -> [UInt8] {
    var heartbeat = Heartbeat(from: sender, to: receiver, counter: counter)
    change(&heartbeat)
    var bytes: [UInt8] = []
    heartbeat.withDatagram(sealedWith: key ?? self.key) { bytes = Array($0) }
    return bytes
  }

  func close() { for descriptor in descriptors { Foundation.close(descriptor) } }
}

extension ServerHeartbeats {
  fileprivate func take(_ bytes: [UInt8], from address: NetworkAddress, at now: Double = 1) -> Bool {
    bytes.withUnsafeBytes { take($0, from: address, at: now) }
  }

  fileprivate func exchange(_ now: Double, place: Place = Place(step: 1, after: .load), interval: Double = 1)
  {
    exchange(
      arrivals: 1, place: place.word, longestMove: 0, takesItsTime: false, now: now, interval: interval)
  }
}

/// Gives this thread, and what it starts, a network of its own: unshare(2), which Swift's module does not show.
private func hasOwnNetwork() -> Bool {
  guard let function = dlsym(nil, "unshare") else { return false }
  let unshare = unsafeBitCast(function, to: (@convention(c) (Int32) -> Int32).self)
  let newNetwork: Int32 = 0x4000_0000
  return unshare(newNetwork) == 0
}

/// Whether ip(8) has done it.
private func ip(_ words: String) -> Bool {
  // Foundation's Process waits by other threads, which are of the machine's network.
  var arguments = (["ip"] + words.split(separator: " ").map(String.init)).map { strdup($0) }
  defer { for argument in arguments { free(argument) } }
  arguments.append(nil)
  var process: pid_t = 0
  var status: Int32 = 1
  return posix_spawnp(&process, "ip", nil, nil, &arguments, environ) == 0
    && waitpid(process, &status, 0) == process && status == 0
}

@Suite(.serialized) struct HeartbeatTests {
  @Test func whatIsSaidIsHeard() {
    let key = SipHash(key: (3, 4))
    var said = Heartbeat(from: 65_535, to: 7, counter: 1 << 60)
    (said.arrivals, said.place, said.longestMove) = (5, Place(step: 9, after: .update).word, 1.5)
    (said.takesItsTime, said.asks, said.ending) = (true, true, 137)
    said.withDatagram(sealedWith: key) { bytes in
      #expect(bytes.count == Heartbeat.byteCount)
      #expect(Heartbeat(bytes, openedWith: key) == said)
      #expect(Heartbeat(UnsafeRawBufferPointer(rebasing: bytes.dropLast()), openedWith: key) == nil)
      #expect(Heartbeat(bytes, openedWith: SipHash(key: (3, 5))) == nil)
      // No bit of it can be changed.
      for bit in 0..<8 * bytes.count {
        var changed = Array(bytes)
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(changed.withUnsafeBytes { Heartbeat($0, openedWith: key) } == nil, "bit \(bit)")
      }
    }
  }

  /// Each is one captured datagram of an outsider's, or one of his own.
  @Test func whatAnOutsiderSendsIsNotBelieved() {
    let job = Job()
    defer { job.close() }
    let server = job.server(0)
    let captured = job.datagram(counter: 7)
    #expect(server.take(captured, from: job.address))
    #expect(!server.take(captured, from: job.address), "once is enough")
    #expect(!server.take(job.datagram(counter: 6), from: job.address), "an old one")
    #expect(!server.take(job.datagram(counter: 8), from: job.otherAddress), "from elsewhere")
    #expect(!server.take(job.datagram(to: 2, counter: 9), from: job.address), "meant for another")
    #expect(!server.take(job.datagram(from: 0, to: 0, counter: 9), from: job.address), "of itself")
    for sender in [3, 4, 68_000, Int(Int32.max), Int(UInt32.max)] {
      #expect(!server.take(job.datagram(from: sender), from: job.address), "a server that is not there")
    }
    let guessed = SipHash(key: (0, 0))
    #expect(!server.take(job.datagram(counter: 9, key: guessed) { $0.ending = 0 }, from: job.address))
    #expect(
      !server.take(job.datagram(counter: 9, key: guessed) { $0.longestMove = 1e300 }, from: job.address))
    #expect(server.end == nil && server.peers.keys.sorted() == [1] && server.longestMove == 0)
    #expect(server.take(job.datagram(counter: 8), from: job.address), "what it was all about")
  }

  /// What a server tells is believed as far as it can be true.
  @Test func noMoveIsLongerThanTheJob() {
    let job = Job()
    defer { job.close() }
    let server = job.server(0)
    for (counter, told) in [1e300, .infinity, .nan, -1, 99].enumerated() {
      let datagram = job.datagram(counter: UInt64(counter + 1)) { $0.longestMove = told }
      #expect(server.take(datagram, from: job.address, at: 10))
      #expect(server.longestMove == 10)
    }
  }

  @Test func theEndIsHeardFromAnyServer() {
    let job = Job()
    defer { job.close() }
    let server = job.server(2)
    #expect(!server.take(job.datagram(from: 1, to: 2), from: job.address), "they do not talk otherwise")
    let end = job.datagram(from: 1, to: 2, counter: Heartbeat.lastCounter) { $0.ending = 74 }
    #expect(server.take(end, from: job.address))
    #expect(server.end?.server == 1 && server.end?.code == 74)
  }

  private static let addresses: [String] = {
    // Not all machines have IPv6; then the socket has IPv4 alone.
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_addr = in6addr_loopback
    let descriptor = socket(AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    let hasIPv6 = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
      }
    }
    if !hasIPv6 { print("*** HeartbeatTests: this machine has no ::1: IPv6 was NOT tested ***") }
    return hasIPv6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"]
  }()

  @Test(arguments: addresses) func serversHearEachOther(_ address: String) {
    let job = Job(at: address)
    defer { job.close() }
    let servers = (0..<3).map { job.server($0) }
    for tick in 1...4 {
      for (number, server) in servers.enumerated() {
        server.exchange(Double(tick), place: Place(step: 10 * number + tick, after: .wait))
      }
    }
    #expect(servers[0].peers.keys.sorted() == [1, 2])
    #expect(
      servers[0].peers[2]?.place == Place(step: 23, after: .wait)
        || servers[0].peers[2]?.place == Place(step: 22, after: .wait))
    for server in servers[1...] {
      #expect(server.peers.keys.sorted() == [0] && server.peers[0]?.place.words.contains("in step ") == true)
      #expect(server.deadServer(now: 4, interval: 1) == nil)
    }
  }

  /// Where nobody has routed addresses: over a cable whose ends have those of one cable alone (fe80::), each of which means
  /// something together with an interface. Its other end is answered where it was heard.
  @Test(.enabled(if: getuid() == 0, "only root may have a network of its own"))
  func serversOfOneCableHearEachOther() async {
    await #expect(processExitsWith: .success) {
      // Of this thread, and of what it starts.
      guard hasOwnNetwork(), ip("link add one type veth peer name two"),
        ip("link set one addrgenmode none"), ip("link set two addrgenmode none"),
        ip("-6 address add fe80::1/64 dev one nodad"),
        ip("-6 address add fe80::2/64 dev two nodad"), ip("link set one up"), ip("link set two up")
      else {
        print("*** HeartbeatTests: no network of its own: fe80:: was NOT tested ***")
        return
      }
      var job = Job(servers: 2, at: "fe80::1")
      job.others = [NetworkAddress("fe80::2")!]
      let servers = (0..<2).map { job.server($0) }
      let deadline = Date(timeIntervalSinceNow: 20)
      var tick = 1.0
      while Date() < deadline, servers[0].peers[1] == nil || servers[1].peers[0] == nil {
        for server in servers { server.exchange(tick, place: Place(step: 5, after: .wait)) }
        tick += 1
        usleep(20_000)
      }
      precondition(servers[0].peers[1]?.place == Place(step: 5, after: .wait))
      precondition(servers[1].peers[0]?.place == Place(step: 5, after: .wait))
      // It is known by now by which interface the other is reached; and the one who dies is missed.
      close(job.descriptors[1])
      var now = tick
      while Date() < deadline, servers[0].deadServer(now: now, interval: 1) == nil {
        servers[0].exchange(now)
        usleep(20_000)
        now += 0.25
      }
      precondition(servers[0].deadServer(now: now, interval: 1) == 1)
    }
  }

  /// The process of a server has ended, and with it its socket.
  @Test(arguments: addresses) func aDeadServerIsNoticed(_ address: String) {
    let job = Job(at: address)
    let (first, second, third) = (job.server(0), job.server(1), job.server(2))
    for tick in 1...3 { for server in [first, second, third] { server.exchange(Double(tick)) } }
    close(job.descriptors[1])
    // Refusals come by themselves, some microseconds after what is refused.
    var now = 4.0
    while now < 7, first.deadServer(now: now, interval: 1) == nil {
      usleep(1_000)
      third.exchange(now)
      first.exchange(now)
      now += 0.25
    }
    #expect(first.deadServer(now: now, interval: 1) == 1)
    #expect(now < 6)
    #expect(third.deadServer(now: now, interval: 1) == nil)
    for descriptor in [job.descriptors[0], job.descriptors[2]] { close(descriptor) }
  }

  /// Refusals alone prove nothing: a firewall makes them, and so does whoever forges them.
  @Test func aServerThatIsHeardIsNotDead() {
    let job = Job(servers: 2)
    let (first, second) = (job.server(0), job.server(1))
    for tick in 1...3 { for server in [first, second] { server.exchange(Double(tick)) } }
    close(job.descriptors[1])
    for tick in 4...40 {
      usleep(1_000)
      first.exchange(Double(tick) / 2 + 2)
      let datagram = job.datagram(counter: UInt64(1_000 + tick))
      #expect(first.take(datagram, from: job.address, at: Double(tick) / 2 + 2))
      #expect(first.deadServer(now: Double(tick) / 2 + 2.5, interval: 1) == nil)
    }
    close(job.descriptors[0])
  }

  /// Many datagrams of an outsider's, replayed and invented: no answer, no new peer, and the true one is heard.
  @Test func aFlood() {
    let job = Job(servers: 2)
    defer { job.close() }
    let (first, second) = (job.server(0), job.server(1))
    for tick in 1...3 { for server in [first, second] { server.exchange(Double(tick)) } }
    var port: UInt16 = 0
    let outsider = csockets_open(&port)
    defer { close(outsider) }
    var target = csockets_place()
    withUnsafeMutableBytes(of: &target.address) {
      _ = inet_pton(AF_INET6, "::ffff:127.0.0.1", $0.baseAddress!)
    }
    target.port = job.ports[0]
    for number in 0..<3_000 {
      let asks = job.datagram(from: number, counter: 1, key: SipHash(key: (9, 9))) { $0.asks = true }
      let bytes = number % 3 == 0 ? [UInt8](repeating: 7, count: number % 200) : asks
      _ = csockets_send(outsider, &target, bytes, bytes.count)
      if number % 100 == 0 { first.exchange(3 + Double(number) / 1e6) }
    }
    for look in 0..<50 { first.exchange(3.1 + Double(look) / 1e6) }
    #expect(first.peers.keys.sorted() == [1] && first.end == nil)
    var from = csockets_place()
    var byte: UInt8 = 0
    #expect(csockets_receive(outsider, &from, &byte, 1) == -1, "nobody answers an outsider")
    second.exchange(5, place: Place(step: 77, after: .load))
    first.exchange(5)
    #expect(first.peers[1]?.place == Place(step: 77, after: .load))
  }
}
