// How long the messages of a step take between servers, and how much of it the arithmetic hides.

/// The network between servers.
///
/// A step sends its sums and brings back parameters: twice ⌈log₂ S⌉ rounds, in which every server sends and receives
/// (S − 1)/S of the model each time. A round of messages takes the latency α at least, a byte β seconds of the link of its
/// server (the α-β model of Hockney 1994, as Thakur et al. 2005 have it for collectives).
package struct NetworkTime: Sendable, Equatable {
  /// α: seconds of a round of the smallest messages.
  package var latency: Double
  /// β: seconds of a byte on the link of a server, in each direction at once.
  package var secondsPerByte: Double
  /// How much of arithmetic and messages goes on at the same time, of the shorter of both: 0 where one begins when the other
  /// has ended, 1 where a step takes as long as the longer.
  package var overlap: Double
  /// Seconds for each byte of the model beside all of that: sums that are copied, servers that wait for each other.
  package var handling: Double
  /// Of each server, with which this was measured.
  package var ranks: Int

  package init(
    latency: Double, secondsPerByte: Double, overlap: Double = 0, handling: Double = 0, ranks: Int = 1
  ) {
    self.latency = latency
    self.secondsPerByte = secondsPerByte
    self.overlap = overlap
    self.handling = handling
    self.ranks = ranks
  }

  /// What is taken for a network that was not measured: that nothing is hidden, which is so of models of one bucket and the worst
  /// of others.
  package static let ownOverlap = 0.0

  /// Bytes that each server sends in a step, and receives.
  package static func bytes(servers: Int, modelBytes: Double) -> Double {
    2 * Double(servers - 1) / Double(servers) * modelBytes
  }

  /// Rounds of messages in a step.
  package static func rounds(servers: Int) -> Double {
    var rounds = 0.0
    while 1 << Int(rounds) < servers { rounds += 1 }
    return 2 * rounds
  }

  /// Seconds of a step's messages alone.
  package func messages(servers: Int, modelBytes: Double) -> Double {
    guard servers > 1 else { return 0 }
    return Self.rounds(servers: servers) * latency
      + Self.bytes(servers: servers, modelBytes: modelBytes) * secondsPerByte
  }

  /// Seconds of a step.
  /// - Parameter arithmetic: seconds that each server takes by itself.
  package func step(arithmetic: Double, servers: Int, modelBytes: Double) -> Double {
    guard servers > 1 else { return arithmetic }
    let messages = messages(servers: servers, modelBytes: modelBytes)
    return arithmetic + messages - overlap * min(arithmetic, messages) + handling * modelBytes
  }

  /// The same network with an overlap, or a cost of handling, by which it makes the steps that were measured: what they take
  /// more than arithmetic and messages one after the other is handling, what they take less is overlap. Where they take less
  /// than the messages alone, those were timed on a busier link, whose rate is set to theirs.
  /// - Parameter steps: seconds of the arithmetic alone, the servers, and seconds of a step.
  package func fitted(
    to steps: [(arithmetic: Double, servers: Int, seconds: Double)], modelBytes: Double
  ) -> NetworkTime {
    let messages = steps.map { self.messages(servers: $0.servers, modelBytes: modelBytes) }
    let all = steps.reduce(0) { $0 + $1.seconds }
    let least = zip(steps, messages).reduce(0) { $0 + max($1.0.arithmetic, $1.1) }
    let most = zip(steps, messages).reduce(0) { $0 + $1.0.arithmetic + $1.1 }
    var fitted = self
    fitted.overlap = most > least ? min(1, max(0, (most - all) / (most - least))) : 0
    fitted.handling = max(0, all - most) / (Double(max(1, steps.count)) * modelBytes)
    if all < least, all > 0 {
      fitted.secondsPerByte *= all / least
      fitted.latency *= all / least
    }
    return fitted
  }
}
