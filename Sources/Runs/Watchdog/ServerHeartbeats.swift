// Signs of life between servers: a datagram a second from the first rank of each server to that of the first server,
// and one back. MPI cannot carry them, because only the thread that trains may talk to it.
import CSockets
import DistributedSGD
import Glibc

/// The socket of a server's first rank, used by its watchdog's thread alone.
///
/// Over any of the servers' addresses, IPv4 or IPv6. Where no datagram comes through, nothing is known of the other
/// servers, and only their messages are missed. A datagram counts if it comes from an address of the server that it
/// names, was made with the job's key for this server, and is newer than all before.
package final class ServerHeartbeats {
  /// A server that has been heard.
  package struct Peer {
    package var heardAt: Double
    package var place: Place
    /// Whether a rank there, or on any server that it speaks for, does what may take any time.
    package var takesItsTime: Bool
    /// Whence it was heard, where it is to be answered.
    fileprivate var address: NetworkAddress
    /// How often the network has said since that nobody listens there, and when the last question was sent.
    fileprivate var refusals = 0
    fileprivate var askedAt = -Double.infinity
  }

  package let descriptor: Int32
  /// By server; on other servers than the first, only the first is heard.
  package private(set) var peers: [Int: Peer] = [:]
  /// Of the rank that has come furthest on any server.
  package private(set) var arrivals: UInt64 = 0
  /// Seconds; of all servers' ranks.
  package private(set) var longestMove = 0.0
  /// The server that has told why the job ends, and the code with which.
  package private(set) var end: (server: Int, code: Int32)?
  /// Whether somebody sends what is none of the job's: it is better looked at only now and then.
  package private(set) var isDisturbed = false

  private let directory: ServerDirectory
  private let start: Double
  /// Of the datagrams sent, and of the last one of each server.
  private var counter: UInt64 = 0
  private var counters: [UInt64]
  private var lastSent = -Double.infinity
  private var isAsked: Set<Int> = []
  /// Those of `peers` that were refused since they were heard, and those that take their time: a datagram of one server is
  /// no reason to look at all of them.
  private var refused: Set<Int> = []
  private var slow: Set<Int> = []
  /// Which servers have an address.
  private lazy var serversAt = [NetworkAddress: [Int]](
    directory.parties.enumerated().flatMap { server, party in party.addresses.map { ($0, [server]) } },
    uniquingKeysWith: +)

  /// - Parameters:
  ///   - descriptor: of `csockets_open`; it stays open for the process's life, lest one that has come to its end a
  ///     little earlier than others looks dead to them.
  ///   - start: seconds; since when the ranks are watched.
  package init(_ directory: ServerDirectory, descriptor: Int32, start: Double) {
    self.directory = directory
    self.descriptor = descriptor
    self.start = start
    counters = Array(repeating: 0, count: directory.parties.count)
  }

  /// Seconds from one datagram of a server to the next: one, or so many that the first server gets a thousand a second,
  /// as long as some come within the timeout.
  package static func interval(servers: Int, timeout: Double) -> Double {
    let shortest = min(1, max(timeout, 1) / 4)
    return max(shortest, min(Double(servers) / 1000, timeout > 0 ? timeout / 4 : 15))
  }

  /// Takes what has come, and sends what is due.
  /// - Parameters:
  ///   - own: arrivals of the rank of this server that has come furthest.
  ///   - ownLongestMove: of this server's ranks, in seconds.
  ///   - takesItsTime: whether one of them does what may take any time.
  package func exchange(
    arrivals own: UInt64, place: UInt64, longestMove ownLongestMove: Double, takesItsTime: Bool, now: Double,
    interval: Double
  ) {
    takeRefusals()
    takeDatagrams(now)
    arrivals = max(arrivals, own)
    longestMove = max(longestMove, ownLongestMove)
    var receivers = isAsked
    isAsked = []
    if now - lastSent >= interval {
      lastSent = now
      receivers.formUnion(directory.server == 0 ? Array(peers.keys) : [0])
    }
    for server in refused where now - peers[server]!.askedAt > Self.secondsToAnswer {
      peers[server]!.askedAt = now
      receivers.insert(server)
    }
    for receiver in receivers {
      counter += 1
      var heartbeat = Heartbeat(from: directory.server, to: receiver, counter: counter)
      heartbeat.arrivals = arrivals
      heartbeat.place = place
      heartbeat.longestMove = longestMove
      heartbeat.takesItsTime = takesItsTime || directory.server == 0 && doesAnyPeerTakeItsTime
      let peer = peers[receiver]
      heartbeat.asks = peer.map { $0.refusals > 0 } ?? false
      let isNear = peer.map { now - $0.heardAt < 3 * interval || $0.refusals > 0 } ?? false
      directory.send(
        heartbeat, to: isNear ? [peer!.address] : directory.parties[receiver].addresses, through: descriptor)
    }
  }

  /// Whether messages may be late because a rank elsewhere writes to a slow disk, for example.
  package var doesAnyPeerTakeItsTime: Bool { !slow.isEmpty }

  /// Seconds in which a living server answers a question, unless its machine gives it no time.
  private static let secondsToAnswer = 0.2

  /// A server whose process has ended: its system says that nobody listens there any more, twice, and no sign of
  /// life has come meanwhile. So neither a firewall nor a forged refusal makes a living server look dead.
  ///
  /// All servers may notice the end of the first one: the second tells it at once, and the others only if nobody
  /// tells it to them.
  package func deadServer(now: Double, interval: Double) -> Int? {
    let patience = 1.5 * interval + (directory.server > 1 ? 2 : 0)
    return refused.filter { peers[$0]!.refusals > 1 && now - peers[$0]!.heardAt > patience }.min()
  }

  private func takeRefusals() {
    var place = csockets_place()
    for _ in 0..<datagramLimit {
      let answer = csockets_refused(descriptor, &place)
      if answer < 0 { return }
      guard answer == 1 else { continue }
      let address = NetworkAddress(place)
      // Of a server's addresses only that counts whence it was heard: another may lead elsewhere.
      for server in serversAt[address] ?? []
      where peers[server]?.address == address && directory.parties[server].port == place.port {
        peers[server]!.refusals += 1
        refused.insert(server)
      }
    }
  }

  /// Of datagrams taken in one look.
  private var datagramLimit: Int { 256 + 2 * directory.parties.count }

  private func takeDatagrams(_ now: Double) {
    isDisturbed = false
    var place = csockets_place()
    withUnsafeTemporaryAllocation(byteCount: Heartbeat.byteCount, alignment: 8) { buffer in
      for _ in 0..<datagramLimit {
        let count = csockets_receive(descriptor, &place, buffer.baseAddress!, buffer.count)
        if count < 0 { return }
        let isOurs =
          count == buffer.count && take(UnsafeRawBufferPointer(buffer), from: NetworkAddress(place), at: now)
        if !isOurs { isDisturbed = true }
      }
    }
  }

  /// - Returns: whether it is a datagram of this job that counts.
  package func take(_ datagram: UnsafeRawBufferPointer, from address: NetworkAddress, at now: Double) -> Bool
  {
    guard let heartbeat = Heartbeat(datagram, openedWith: directory.key) else { return false }
    let sender = heartbeat.sender
    guard heartbeat.receiver == directory.server, sender != directory.server, sender < counters.count,
      directory.parties[sender].addresses.contains(address), heartbeat.counter > counters[sender]
    else { return false }
    counters[sender] = heartbeat.counter
    if let code = heartbeat.ending {
      end = (sender, code)
      return true
    }
    guard directory.server == 0 || sender == 0 else { return false }
    // One that is heard for the first time is answered at once, so that it soon knows this one.
    if heartbeat.asks || peers[sender] == nil { isAsked.insert(sender) }
    peers[sender] = Peer(
      heardAt: now, place: Place(word: heartbeat.place), takesItsTime: heartbeat.takesItsTime,
      address: address)
    refused.remove(sender)
    if heartbeat.takesItsTime { slow.insert(sender) } else { slow.remove(sender) }
    arrivals = max(arrivals, heartbeat.arrivals)
    // No move is longer than the ranks are watched.
    if heartbeat.longestMove > 0 { longestMove = max(longestMove, min(heartbeat.longestMove, now - start)) }
    return true
  }
}
