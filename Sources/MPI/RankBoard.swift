// What each rank of a server shows the others while it works: how far it is, that it lives, how it ends. A watchdog
// reads it; nothing of a rank's own work waits for it.
import CMPI
import Glibc

/// A line for each rank of a server, in memory they share. A rank writes its own line alone, with plain stores: the
/// line is in its cache, and nobody reads it more than a few times a second.
public final class RankBoard {
  /// Bytes of zeroed memory for a board of so many ranks.
  package static func byteCount(ranks: Int) -> Int { lineBytes * (ranks + 1) }

  private static let lineBytes = 64

  private enum Word: Int {
    case arrivals, place, pulse, process, namespace, ending, punctual, waiting
  }

  /// Before the ranks' lines comes one for all of them.
  private let lines: UnsafeMutableRawPointer
  /// The words of this rank.
  private let own: UnsafeMutablePointer<UInt64>
  private let timeoutBits = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
  /// This rank within its server.
  package let localRank: Int
  /// Ranks of the server.
  package let rankCount: Int

  /// - Parameter memory: `byteCount(ranks:)` zeroed bytes that all ranks of the server share.
  package init(memory: UnsafeMutableRawPointer, localRank: Int, rankCount: Int) {
    lines = memory
    self.localRank = localRank
    self.rankCount = rankCount
    own = Self.line(localRank, in: memory)
    timeoutBits.initialize(to: 60.0.bitPattern)
    cmpi_store64(own + Word.namespace.rawValue, processNamespace())
    cmpi_store64(own + Word.process.rawValue, UInt64(getpid()))
  }

  deinit { timeoutBits.deallocate() }

  private static func line(
    _ localRank: Int, in memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<UInt64> {
    (memory + lineBytes * (localRank + 1)).assumingMemoryBound(to: UInt64.self)
  }

  private func load(_ word: Word, of localRank: Int) -> UInt64 {
    cmpi_load64(Self.line(localRank, in: lines) + word.rawValue)
  }

  /// This rank has come to where it waits for others. All ranks of a job come to the same places in the same order,
  /// so that one with fewer arrivals is one that is waited for.
  @inline(__always)
  package func arrive() {
    let word = own + Word.arrivals.rawValue
    cmpi_store64(word, word.pointee &+ 1)
  }

  package func arrivals(of localRank: Int) -> UInt64 { load(.arrivals, of: localRank) }

  /// Runs a call in which this rank waits for messages of others.
  @inline(__always)
  package func waits<Result, Failure: Error>(
    in call: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    cmpi_store64(own + Word.waiting.rawValue, 1)
    defer { cmpi_store64(own + Word.waiting.rawValue, 0) }
    return try call()
  }

  package func isWaiting(_ localRank: Int) -> Bool { load(.waiting, of: localRank) == 1 }

  /// Stores a word that others may be reading: an ordinary store, which is never seen half made.
  @inlinable @inline(__always)
  public static func show(_ word: UInt64, at place: UnsafeMutablePointer<UInt64>) {
    cmpi_store64(place, word)
  }

  /// What this rank is at, in its user's own numbers: written with `show`.
  package var place: UnsafeMutablePointer<UInt64> { own + Word.place.rawValue }

  package func place(of localRank: Int) -> UInt64 { load(.place, of: localRank) }

  /// A sign of life, which a stopped process does not give.
  package func beat() {
    let word = own + Word.pulse.rawValue
    cmpi_store64(word, word.pointee &+ 1)
  }

  package func pulse(of localRank: Int) -> UInt64 { load(.pulse, of: localRank) }

  /// Seconds after which a rank that is waited for is given up; 0: never. Of this process.
  package var timeout: Double {
    get { Double(bitPattern: cmpi_load64(timeoutBits)) }
    set { cmpi_store64(timeoutBits, newValue.bitPattern) }
  }

  /// The part of the job's ranks, from 1 up, that this rank works with; 0 is all of them.
  package var group = 0

  /// Whether this rank should be where the others of its group wait for it, within the timeout; false while it does
  /// what may take any time.
  package var isPunctual: Bool {
    get { isPunctual(localRank) }
    set { cmpi_store64(own + Word.punctual.rawValue, newValue ? UInt64(group) + 1 : 0) }
  }

  package func isPunctual(_ localRank: Int) -> Bool { load(.punctual, of: localRank) != 0 }

  /// The group of a rank that is punctual; 0 of others.
  package func group(of localRank: Int) -> Int { max(0, Int(load(.punctual, of: localRank)) - 1) }

  /// Runs what may take any time.
  package func takesItsTime<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = isPunctual
    isPunctual = false
    defer { isPunctual = before }
    return try body()
  }

  /// A descriptor that becomes readable when a rank's process has ended, for `poll`; -1 where the system has none, or
  /// the rank is in another container, whose process numbers mean nothing here.
  package func processDescriptor(of localRank: Int) -> Int32 {
    guard load(.namespace, of: localRank) == own[Word.namespace.rawValue] else { return -1 }
    return cmpi_pidfd_open(process(of: localRank))
  }

  package func process(of localRank: Int) -> pid_t {
    pid_t(truncatingIfNeeded: load(.process, of: localRank))
  }

  /// This rank ends knowingly, with an exit code; it or another has told why. Safe in a signal handler.
  package func end(_ code: Int32) { cmpi_store64(own + Word.ending.rawValue, UInt64(code) + 1) }

  /// The code with which a rank ends knowingly; nil while it does not.
  package func ending(of localRank: Int) -> Int32? {
    let word = load(.ending, of: localRank)
    return word == 0 ? nil : Int32(truncatingIfNeeded: word - 1)
  }

  /// Whether this is the first call on this server: of several ranks that have the same to tell, one speaks.
  package func claimsTheWord() -> Bool {
    cmpi_exchange64(lines.assumingMemoryBound(to: UInt64.self), 1) == 0
  }
}

/// What tells the container in which a process has its number (namespaces(7)); 0 where the system does not.
private func processNamespace() -> UInt64 {
  var status = stat()
  return stat("/proc/self/ns/pid", &status) == 0 ? UInt64(status.st_ino) : 0
}
