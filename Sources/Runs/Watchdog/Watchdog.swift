// Ends a job in which somebody is waited for in vain: a rank that has died, stands still or has gone elsewhere.
import CSignals
import CSockets
import DistributedSGD
import Glibc
import MPI
import Synchronization
import System
import Text

/// A thread on every rank that looks at all ranks of its server a few times a second, and, on a server's first rank,
/// listens for the other servers. The thread that trains never waits for it.
///
/// - A rank whose process has ended without saying so ends the job at once; one that was alone on its server, within
///   two seconds.
/// - A rank whose process does not run (SIGSTOP, a machine that swaps) ends it after the timeout.
/// - So does one that others wait for while it trains, and a server of which nothing is heard.
///
/// The timeout grows with the longest move that a rank has been seen to make, so that slow steps are no fault.
///
/// The error is told once, by whoever is first; then every rank ends its own process. A launcher ends what is left.
package final class Watchdog {
  private let watch: Watch
  private let thread: pthread_t

  /// Watches until `stop`. Collective.
  /// - Returns: nil where there is nobody to wait for, or no thread to be had.
  package init?(over communicator: any Communicator) throws(MPIError) {
    guard communicator.worldSize > 1 else { return nil }
    watch = try Watch(over: communicator)
    guard let thread = startThread({ [watch] in watch.run() }) else { return nil }
    self.thread = thread
  }

  /// Stops watching: this rank is about to end, and tells so.
  /// - Parameter isAlone: whether the others do not know yet, on other servers either.
  package func stop(code: Int32, isAlone: Bool = false) {
    watch.board.end(code)
    watch.stop()
    pthread_join(thread, nil)
    if isAlone { watch.tellTheEnd(code) }
  }
}

/// What the thread knows.
private final class Watch: @unchecked Sendable {
  // Unchecked: all but `board`, which is shared memory, and the pipe is used by the thread alone.
  let board: RankBoard
  private let topology: Topology
  private let rank: Int
  private let ranks: [Int]
  private var ownServer: Int { topology.serverOfRank[rank] }
  /// Nil where there is only one server.
  private let directory: ServerDirectory?
  /// Of a server's first rank.
  private let heartbeats: ServerHeartbeats?
  /// Written to by `stop`.
  private var wakeUp: [Int32] = [-1, -1]
  private var detector = StallDetector()

  /// Steps may take so many times as long as the longest move before without being late.
  private static let patience = 5.0
  private static let longestTick = 0.25

  init(over communicator: any Communicator) throws(MPIError) {
    board = communicator.board
    topology = communicator.topology
    rank = communicator.rank
    ranks = topology.ranksOfServer[topology.serverOfRank[rank]]
    if topology.serverCount > 1 {
      var port: UInt16 = 0
      let descriptor = communicator.isServerLeader ? csockets_open(&port) : -1
      let directory = try ServerDirectory(port: descriptor >= 0 ? port : nil, over: communicator)
      self.directory = directory
      heartbeats =
        descriptor >= 0
        ? ServerHeartbeats(directory, descriptor: descriptor, start: monotonicSeconds()) : nil
    } else {
      directory = nil
      heartbeats = nil
    }
    endOfThisProcess = { [board] in board.end($0) }
    pipe(&wakeUp)
    for descriptor in wakeUp { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
  }

  deinit { for descriptor in wakeUp where descriptor >= 0 { close(descriptor) } }

  func stop() { _ = write(wakeUp[1], [1], 1) }

  func tellTheEnd(_ code: Int32) { directory?.tellTheEnd(code: code) }

  func run() {
    // Index: a local rank's descriptor, then the socket, then the pipe.
    var descriptors = ranks.indices.map { local in
      pollfd(
        fd: local == board.localRank ? -1 : board.processDescriptor(of: local), events: Int16(POLLIN),
        revents: 0)
    }
    descriptors.append(pollfd(fd: heartbeats?.descriptor ?? -1, events: Int16(POLLIN), revents: 0))
    descriptors.append(pollfd(fd: wakeUp[0], events: Int16(POLLIN), revents: 0))
    defer { for descriptor in descriptors.dropLast(2) where descriptor.fd >= 0 { close(descriptor.fd) } }
    // The other servers are told at once.
    look(timeout: board.timeout)
    while true {
      let timeout = board.timeout
      let tick = timeout > 0 ? min(Self.longestTick, timeout / 8) : Self.longestTick
      // Whoever floods the socket takes no time of the processor's but a look in every tick.
      descriptors[ranks.count].fd = heartbeats?.isDisturbed == false ? heartbeats!.descriptor : -1
      _ = poll(&descriptors, nfds_t(descriptors.count), Int32((tick * 1000).rounded(.up)))
      // A rank that is at its end itself has nothing left to wait for.
      if descriptors.last!.revents != 0 || board.ending(of: board.localRank) != nil { return }
      board.beat()
      if let local = ranks.indices.first(where: { descriptors[$0].revents != 0 }) { hasDied(local) }
      look(timeout: timeout)
    }
  }

  /// A process has ended; this one does so too.
  private func hasDied(_ local: Int) {
    if let code = board.ending(of: local) {
      tellTheEnd(code)
      leave(code)
    }
    end("\(name(local)) has died, last seen \(place(local))")
  }

  /// The lone rank of another server, or its first one.
  private func hasDied(server: Int) {
    let rank = topology.ranksOfServer[server][0]
    end(
      "rank \(rank) on \(topology.hosts[server]) (process \(directory!.parties[server].process)) has died, \(lastSeen(server))"
    )
  }

  /// Another server has told a user why the job ends.
  private func isTold(_ end: (server: Int, code: Int32)) -> Never {
    if board.claimsTheWord() {
      standardError(
        "distsgd: the ranks on \(topology.hosts[ownServer]) end, because \(topology.hosts[end.server]) (ranks from \(topology.ranksOfServer[end.server][0])) says that the job ends"
      )
    }
    // Those that were not reached from there.
    if ownServer == 0 { tellTheEnd(end.code) }
    leave(end.code)
  }

  private func look(timeout: Double) {
    let now = monotonicSeconds()
    let sights = ranks.indices.map {
      RankSight(
        arrivals: board.arrivals(of: $0), place: board.place(of: $0), pulse: board.pulse(of: $0),
        isPunctual: board.isPunctual($0), isWaiting: board.isWaiting($0),
        group: board.group(of: $0))
    }
    var furthest = sights.map(\.arrivals).max()!
    var longestMove = detector.longestMove
    if let heartbeats {
      let interval = ServerHeartbeats.interval(servers: topology.serverCount, timeout: timeout)
      heartbeats.exchange(
        arrivals: furthest, place: sights[0].place, longestMove: longestMove,
        takesItsTime: sights.contains { !$0.isPunctual }, now: now, interval: interval)
      if let end = heartbeats.end { isTold(end) }
      if let server = heartbeats.deadServer(now: now, interval: interval) { hasDied(server: server) }
      furthest = heartbeats.arrivals
      longestMove = heartbeats.longestMove
    }
    detector.observe(sights, furthest: furthest, at: now, gap: 4 * Self.longestTick + 1)
    guard timeout > 0 else { return }
    let limit = max(timeout, Self.patience * longestMove)
    if let local = detector.stopped(for: limit) {
      end(
        "\(name(local)) does not run any more, for \(seconds(limit)): its process is stopped or starved, last seen \(place(local))"
      )
    }
    if let local = detector.late(for: limit) {
      end("\(name(local)) is waited for in vain for \(seconds(limit)), last seen \(place(local))")
    }
    if board.localRank == 0, detector.allWait(for: limit) { missMessages(limit, now) }
  }

  /// Nobody here moves, and messages do not come: who does not send them?
  private func missMessages(_ limit: Double, _ now: Double) {
    let silent = (heartbeats?.peers ?? [:]).filter { now - $0.value.heardAt > limit }
    if let (server, peer) = silent.min(by: { $0.value.heardAt < $1.value.heardAt }) {
      Self.endLauncherLater()
      end(
        "nothing is heard of the server \(topology.hosts[server]) (ranks from \(topology.ranksOfServer[server][0])) for \(seconds(now - peer.heardAt)), \(lastSeen(server)): it or its network is down"
      )
    }
    // The others live. One of them will say which of its ranks is late, if it can.
    guard detector.allWait(for: limit + 2), heartbeats?.doesAnyPeerTakeItsTime != true else { return }
    Self.endLauncherLater()
    end(
      "the ranks on \(topology.hosts[ownServer]) wait in vain for messages for \(seconds(limit)), \(place(0)): the network does not carry them"
    )
  }

  /// Open MPI's launcher sends its order to end to all servers and then waits for their answer; for one that is
  /// lost, a quarter of an hour.
  private static func endLauncherLater() {
    let parent = getppid()
    let name = (textOfSystemFile("/proc/\(parent)/comm") ?? "").filter { !$0.isNewline }
    if ["mpirun", "mpiexec", "orterun", "orted", "prterun", "prted"].contains(name) {
      csignals_kill_later(parent, 5)
    }
  }

  private func name(_ local: Int) -> String {
    "rank \(ranks[local]) on \(topology.hosts[ownServer]) (process \(board.process(of: local)))"
  }

  /// As its last heartbeat tells; but whoever is in a step has got all others' parts of the step before.
  private func lastSeen(_ server: Int) -> String {
    let told = heartbeats!.peers[server]!.place
    let done = Place(word: board.place(of: board.localRank)).step - 1
    return "last seen \(told.step < done ? "in step \(done)" : told.words)"
  }

  private func place(_ local: Int) -> String { Place(word: board.place(of: local)).words }

  private func seconds(_ value: Double) -> String { "\(fixed(value, value < 10 ? 1 : 0)) s" }

  /// Tells the error, unless somebody has told one, and ends this process.
  private func end(_ what: String) -> Never {
    if board.claimsTheWord() {
      standardError(
        "distsgd: error: \(what); the job ends. If it has checkpoints, go on from the newest with --resume")
    } else {
      // Let the other one speak before the launcher hears of an end.
      usleep(50_000)
    }
    tellTheEnd(ExitCode.internal.rawValue)
    leave(ExitCode.internal.rawValue)
  }

  private func leave(_ code: Int32) -> Never {
    board.end(code)
    _exit(code)
  }
}
