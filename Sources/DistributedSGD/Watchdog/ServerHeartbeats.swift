// Signs of life between servers: a datagram a second from the first rank of each server to that of the first server,
// and one back. MPI cannot carry them, because only the thread that trains may talk to it.
import Glibc
import MPI

/// What one server tells another.
private struct Heartbeat {
  /// The same for all datagrams of a job, so that nobody else's count.
  var token: UInt64 = 0
  var server: UInt64 = 0
  /// Of the rank that has come furthest.
  var arrivals: UInt64 = 0
  /// Of the sender.
  var place: UInt64 = 0
  /// The longest that any rank has been seen to take from one move to the next: bits of a double, seconds.
  var longestMove: UInt64 = 0
  /// 1 while a rank of this server does what may take any time; the first server tells of all servers.
  var takesItsTime: UInt64 = 0
  /// 1 when the job ends there, and a user has been told why.
  var isEnding: UInt64 = 0

  static let byteCount = MemoryLayout<Heartbeat>.size
}

/// The socket of a server's first rank, used by its watchdog's thread alone.
///
/// IPv4, over any of the first server's addresses. Where no datagram comes through, nothing is known of the other
/// servers, and only their messages are missed.
final class ServerHeartbeats {
  /// A server that has been heard.
  struct Peer {
    var heardAt: Double
    var place: Place
    /// Whether a rank there, or on any server that it speaks for, does what may take any time.
    var takesItsTime: Bool
  }

  let descriptor: Int32
  /// By server; on other servers than the first, only the first is heard.
  private(set) var peers: [Int: Peer] = [:]
  /// Of the rank that has come furthest on any server.
  private(set) var arrivals: UInt64 = 0
  /// Seconds; of all servers' ranks.
  private(set) var longestMove = 0.0
  /// Whether another server has told why the job ends.
  private(set) var hasHeardOfTheEnd = false

  private let server: Int
  private let token: UInt64
  /// Where to send to: the first server's addresses, or on that one, whence others were heard.
  private var addresses: [Int: sockaddr_in] = [:]
  private var lastSent = -Double.infinity

  /// - Returns: nil on ranks that are not their server's first, and where there is only one server. Collective.
  init?(over communicator: any Communicator) throws(MPIError) {
    guard communicator.topology.serverCount > 1 else { return nil }
    server = communicator.topology.serverOfRank[communicator.rank]
    let isLeader = communicator.isServerLeader
    descriptor = isLeader ? socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0) : -1
    // Number of addresses, port, token, addresses.
    let words = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: 3 + Self.maximumAddresses)
    defer { words.deallocate() }
    words.initialize(repeating: 0)
    if communicator.rank == 0 {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      let port = descriptor >= 0 ? Self.bind(descriptor) : nil
      let own = port == nil ? [] : Self.ownAddresses()
      words[0] = UInt64(own.count)
      words[1] = UInt64(port ?? 0)
      words[2] = UInt64.random(in: 1...UInt64.max)
      for (index, address) in own.enumerated() { words[3 + index] = UInt64(address) }
    }
    try communicator.broadcast(words, from: 0)
    token = words[2]
    if server != 0 {
      for index in 0..<Int(words[0]) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: words[1]))
        address.sin_addr.s_addr = in_addr_t(UInt32(truncatingIfNeeded: words[3 + index]))
        addresses[index] = address
      }
    }
    guard isLeader, descriptor >= 0 else { return nil }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  private static let maximumAddresses = 16

  /// Opens a port that the system chooses; in network order.
  private static func bind(_ descriptor: Int32) -> UInt16? {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      } ? pointer.pointee.sin_port : nil
    }
  }

  /// This machine's IPv4 addresses, in network order; those of its own network interfaces first.
  private static func ownAddresses() -> [UInt32] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var found: [(isLoopback: Bool, address: UInt32)] = []
    var next = list
    while let entry = next {
      next = entry.pointee.ifa_next
      guard let address = entry.pointee.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET) else {
        continue
      }
      let value = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr }
      found.append((entry.pointee.ifa_flags & UInt32(IFF_LOOPBACK) != 0, value))
    }
    return Array(found.filter { !$0.isLoopback }.map(\.address).prefix(maximumAddresses - 1))
      + found.filter(\.isLoopback).map(\.address).prefix(1)
  }

  /// Takes what has come, and sends what is due.
  /// - Parameters:
  ///   - own: arrivals of the rank of this server that has come furthest.
  ///   - ownLongestMove: of this server's ranks, in seconds.
  ///   - takesItsTime: whether one of them does what may take any time.
  func exchange(
    arrivals own: UInt64, place: UInt64, longestMove ownLongestMove: Double, takesItsTime: Bool, now: Double,
    interval: Double
  ) {
    var heartbeat = Heartbeat()
    var sender = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    while withSocketAddress(
      &sender, { recvfrom(descriptor, &heartbeat, Heartbeat.byteCount, 0, $0, &length) })
      == Heartbeat.byteCount
    {
      length = socklen_t(MemoryLayout<sockaddr_in>.size)
      guard heartbeat.token == token, heartbeat.server != UInt64(server), heartbeat.server < 1 << 31 else {
        continue
      }
      let from = Int(heartbeat.server)
      peers[from] = Peer(
        heardAt: now, place: Place(word: heartbeat.place), takesItsTime: heartbeat.takesItsTime == 1)
      arrivals = max(arrivals, heartbeat.arrivals)
      let move = Double(bitPattern: heartbeat.longestMove)
      if move.isFinite { longestMove = max(longestMove, move) }
      if heartbeat.isEnding == 1 { hasHeardOfTheEnd = true }
      if server == 0 { addresses[from] = sender }
    }
    arrivals = max(arrivals, own)
    longestMove = max(longestMove, ownLongestMove)
    guard now - lastSent >= interval else { return }
    lastSent = now
    send(
      takesItsTime: takesItsTime || server == 0 && doesAnyPeerTakeItsTime, isEnding: false, place: place)
  }

  /// Whether messages may be late because a rank elsewhere writes to a slow disk, for example.
  var doesAnyPeerTakeItsTime: Bool { peers.values.contains { $0.takesItsTime } }

  /// Tells the others that the job ends and that a user knows why.
  func tellTheEnd(place: UInt64) { send(takesItsTime: false, isEnding: true, place: place) }

  private func send(takesItsTime: Bool, isEnding: Bool, place: UInt64) {
    var heartbeat = Heartbeat(
      token: token, server: UInt64(server), arrivals: arrivals, place: place,
      longestMove: longestMove.bitPattern, takesItsTime: takesItsTime ? 1 : 0, isEnding: isEnding ? 1 : 0)
    for var address in addresses.values {
      let length = socklen_t(MemoryLayout<sockaddr_in>.size)
      _ = withSocketAddress(&address) { sendto(descriptor, &heartbeat, Heartbeat.byteCount, 0, $0, length) }
    }
  }

  private func withSocketAddress(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Int
  ) -> Int {
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
    }
  }
}
