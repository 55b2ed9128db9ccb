// What all ranks must agree on in every step, and what any of them may ask of all: words that travel with the
// gradients, so that no message is sent for them.

import MPI

/// What a rank asks of all others with the gradients of a step.
public struct Requests: OptionSet, Sendable {
  /// A bit for each request.
  public let rawValue: UInt64
  /// - Parameter rawValue: the bits.
  @inlinable
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Stop after this step.
  @inlinable
  public static var stop: Requests { Requests(rawValue: 1) }
  /// End after this step: the time is up.
  @inlinable
  public static var end: Requests { Requests(rawValue: 4) }
  /// Compare the parameters in the next step.
  @inlinable
  public static var comparison: Requests { Requests(rawValue: 2) }
}

/// Who differs from the others, and in what.
package struct Suspect: Sendable, Equatable {
  package enum Difference: UInt64, Sendable {
    /// The step, its examples, or a setting.
    case schedule = 1
    case parameters
  }

  /// A rank, or a server where its ranks have the parameters in common.
  package enum Party: Sendable, Equatable {
    case rank(Int)
    case server(Int)
  }

  package var difference: Difference
  package var party: Party
  /// Whether too few agree to tell who is wrong: this is then the first that is not as the first of all.
  package var isOneOfTwo: Bool

  /// Who differs from whom, in what; for the beginning of an error.
  package func words(topology: Topology) -> String {
    let who: String
    let others: String
    switch party {
    case .rank(let rank):
      let server = topology.serverOfRank[rank]
      who = "rank \(rank) on \(topology.hosts[server])"
      others = isOneOfTwo ? "rank \(topology.ranksOfServer[server][0])" : "the other ranks"
    case .server(let server):
      let ranks = topology.ranksOfServer[server]
      who = "the server \(topology.hosts[server]) (\(ranks.count == 1 ? "rank" : "ranks from") \(ranks[0]))"
      others = isOneOfTwo ? "\(topology.hosts[0])" : "the other servers"
    }
    switch difference {
    case .schedule: return "\(who) does not do the same as \(others)"
    case .parameters: return "\(who) has other parameters than \(others)"
    }
  }

  /// 0 is nobody.
  fileprivate var word: UInt64 {
    let (kind, number) =
      switch party {
      case .rank(let rank): (UInt64(0), rank)
      case .server(let server): (UInt64(1), server)
      }
    return difference.rawValue | kind << 2 | (isOneOfTwo ? 1 : 0) << 3 | UInt64(number) << 8
  }

  fileprivate init?(word: UInt64) {
    guard let difference = Difference(rawValue: word & 3) else { return nil }
    self.difference = difference
    let number = Int(word >> 8)
    party = word >> 2 & 1 == 0 ? .rank(number) : .server(number)
    isOneOfTwo = word >> 3 & 1 == 1
  }

  /// The first of several parties whose hash is not that of most; nil when all are the same.
  fileprivate init?(_ difference: Difference, among hashes: [UInt64], _ party: (Int) -> Party) {
    let support = Dictionary(hashes.map { ($0, 1) }, uniquingKeysWith: +)
    // More than half of them can have but one hash in common.
    let right = support.first { 2 * $0.value > hashes.count }?.key
    let isTie = right == nil
    guard let other = hashes.firstIndex(where: { $0 != right ?? hashes[0] }) else { return nil }
    (self.difference, self.party, isOneOfTwo) = (difference, party(other), isTie)
  }

  /// The first server whose words are not those of most; nil when all are the same.
  /// - Parameters:
  ///   - schedules, parameters: hashes of each server.
  init?(amongSchedules schedules: [UInt64], _ parameters: [UInt64]) {
    let suspect =
      Suspect(.schedule, among: schedules) { .server($0) }
      ?? Suspect(amongParameters: parameters) { .server($0) }
    guard let suspect else { return nil }
    self = suspect
  }

  /// The first of several parties whose parameters' hash is not that of most; nil when all are the same.
  package init?(amongParameters hashes: [UInt64], _ party: (Int) -> Party) {
    self.init(.parameters, among: hashes, party)
  }
}

extension Communicator {
  /// A number of each rank, on every rank. Collective.
  func numbers(_ own: UInt64) throws(MPIError) -> [UInt64] {
    let numbers = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: worldSize)
    defer { numbers.deallocate() }
    numbers.initialize(repeating: 0)
    numbers[rank] = own
    // Every element has one rank's number and zeros.
    try allReduce(numbers, .maximum)
    return Array(numbers)
  }
}

/// One party's words, 48 bytes.
package struct AgreementWords: BitwiseCopyable {
  /// A hash of what this step is to be: the same for all ranks.
  package var schedule: UInt64 = 0
  /// A hash of the parameters before the step, where they are compared in it.
  package var parameters: UInt64 = 0
  private var suspectWord: UInt64 = 0
  private var requestBits: UInt64 = 0
  /// When its last rank came to the step's meeting, in nanoseconds of rank 0's clock, and by how much later than the last
  /// but one, with the rank in the upper 24 bits; 0 where all meet at one barrier.
  private var arrival: UInt64 = 0
  private var lateness: UInt64 = 0

  /// Floats that the words take: a cache line.
  static let floatCount = 16

  /// Which of two parties had everybody wait; their ranks' delays count up to the other party's arrival.
  private static func later(_ one: LastRank, _ other: LastRank) -> LastRank {
    var (first, second) = (one, other)
    if first.arrival > second.arrival { swap(&first, &second) }
    second.delay = min(second.delay, second.arrival - first.arrival)
    return second
  }

  package var last: LastRank {
    get {
      LastRank(
        rank: Int(lateness >> 40), arrival: Int(bitPattern: UInt(arrival)),
        delay: Int(lateness & 0xFF_FFFF_FFFF))
    }
    set {
      arrival = UInt64(bitPattern: Int64(newValue.arrival))
      // Eighteen minutes; a rank that is waited for so long is given up.
      lateness = UInt64(newValue.rank) << 40 | UInt64(min(max(0, newValue.delay), 0xFF_FFFF_FFFF))
    }
  }

  package init() {}

  package var requests: Requests {
    get { Requests(rawValue: requestBits) }
    set { requestBits = newValue.rawValue }
  }

  package var suspect: Suspect? {
    get { Suspect(word: suspectWord) }
    set { suspectWord = newValue?.word ?? 0 }
  }

  /// The words of several servers as one.
  static func combined(
    ofServers words: UnsafeMutableBufferPointer<UnsafeMutablePointer<AgreementWords>>
  ) -> AgreementWords {
    combined(UnsafeBufferPointer(words), party: { .server($0) }, comparesParameters: true)
  }

  /// The words of several parties as one: what they have in common, or the first of them that differs.
  /// - Parameters:
  ///   - party: who has left the words at an index.
  ///   - comparesParameters: whether each party has parameters of its own; else those of the first count.
  @inline(__always)
  package static func combined(
    _ words: UnsafeBufferPointer<UnsafeMutablePointer<AgreementWords>>, party: (Int) -> Suspect.Party,
    comparesParameters: Bool
  ) -> AgreementWords {
    var result = words[0].pointee
    var schedules: UInt64 = 0
    var parameters: UInt64 = 0
    var last = result.last
    for index in 1..<max(words.count, 1) {
      let other = words[index].pointee
      schedules |= other.schedule ^ result.schedule
      parameters |= other.parameters ^ result.parameters
      result.requestBits |= other.requestBits
      if result.suspectWord == 0 { result.suspectWord = other.suspectWord }
      last = Self.later(last, other.last)
    }
    result.last = last
    if result.suspectWord == 0, schedules != 0 || comparesParameters && parameters != 0 {
      let all = words.map(\.pointee)
      result.suspect =
        schedules != 0
        ? Suspect(.schedule, among: all.map(\.schedule), party)
        : Suspect(.parameters, among: all.map(\.parameters), party)
    }
    return result
  }
}
