// `--simulate`: machines that one does not have, as `latency=50us,bandwidth=10gbit,servers=1024`.
import System
import Text

package struct SimulatedJob: Sendable, Equatable {
  package static let mostRanks = 100_000
  package static let forms =
    "latency=50us,bandwidth=10gbit,servers=1024, and if wanted ranks=8 (of a server), overlap=0.8 and rate=5000 (examples a second of a rank, instead of measuring it)"

  /// α, in seconds.
  package var latency: Double
  /// Of a server's link in each direction, in bytes a second.
  package var bandwidth: Double
  /// At most.
  package var servers: Int
  /// Of each server; nil: as here.
  package var ranks: Int?
  /// As `NetworkTime` has it; nil: as measured, or the program's own.
  package var overlap: Double?
  /// Examples a second of one rank; nil: as measured here.
  package var rate: Double?

  /// - Throws: `DistsgdError` (`usage`).
  package init(_ text: String) throws(DistsgdError) {
    var latency: Double?
    var bandwidth: Double?
    var servers: Int?
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      func fail(_ right: String) -> DistsgdError {
        DistsgdError(.usage, "--simulate: '\(printable(String(part)))' should be \(right)")
      }
      guard pair.count == 2 else { throw fail("a name and a value, as in \(Self.forms)") }
      func decimal(_ range: ClosedRange<Double>, _ words: String) throws(DistsgdError) -> Double {
        guard let number = decimalNumber(pair[1]), range ~= number else { throw fail(words) }
        return number
      }
      func whole(_ words: String) throws(DistsgdError) -> Int {
        guard let number = Int(pair[1]), 1...Self.mostRanks ~= number else { throw fail(words) }
        return number
      }
      switch pair[0] {
      case "latency":
        guard let value = Self.quantity(pair[1], Self.times), 0...10 ~= value else {
          throw fail("a time such as 50us or 0.1ms, of at most 10 s")
        }
        latency = value
      case "bandwidth":
        guard let value = Self.quantity(pair[1], Self.rates), 1...1e15 ~= value else {
          throw fail("a rate such as 10gbit, 100mbit or 1.25GB/s")
        }
        bandwidth = value
      case "servers": servers = try whole("a number of servers from 1 to \(Self.mostRanks)")
      case "ranks": ranks = try whole("ranks of a server, from 1 to \(Self.mostRanks)")
      case "overlap":
        overlap = try decimal(0...1, "a number from 0 (none) to 1 (all of the shorter is hidden)")
      case "rate": rate = try decimal(1e-6...1e15, "examples a second of one rank, above 0")
      default:
        throw DistsgdError(
          .usage,
          "--simulate: unknown '\(printable(pair[0]))': \(suggestion(for: pair[0], among: ["latency", "bandwidth", "servers", "ranks", "overlap", "rate"]))It takes \(Self.forms)"
        )
      }
    }
    guard let latency, let bandwidth, let servers else {
      throw DistsgdError(
        .usage,
        "--simulate '\(printable(text, limit: 200))': latency, bandwidth and servers are needed, as in \(Self.forms)"
      )
    }
    self.latency = latency
    self.bandwidth = bandwidth
    self.servers = servers
    guard servers * (ranks ?? 1) <= Self.mostRanks else {
      throw DistsgdError(
        .usage,
        "--simulate: \(servers) servers of \(ranks ?? 1) ranks are \(servers * (ranks ?? 1)) ranks; a plan has at most \(Self.mostRanks)"
      )
    }
  }

  /// The network of these machines.
  /// - Parameter measured: one that is here, whose overlap counts where none is stated.
  package func network(as measured: NetworkTime?) -> NetworkTime {
    NetworkTime(
      latency: latency, secondsPerByte: 1 / bandwidth,
      overlap: overlap ?? measured?.overlap ?? NetworkTime.ownOverlap)
  }

  private static let times: [(String, Double)] = [
    ("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1),
  ]
  /// A `b` is a bit and a `B` a byte.
  private static let rates: [(String, Double)] = {
    var rates: [(String, Double)] = []
    for (letter, factor) in [("k", 1e3), ("m", 1e6), ("g", 1e9), ("t", 1e12), ("", 1.0)] {
      for letter in Set([letter, letter.uppercased()]) {
        for unit in ["bit", "bit/s", "b/s"] { rates.append((letter + unit, factor / 8)) }
        rates.append((letter + "B/s", factor))
      }
    }
    return rates
  }()

  /// A number with one of some units behind it.
  private static func quantity(_ text: String, _ units: [(name: String, factor: Double)]) -> Double? {
    for unit in units.sorted(by: { $0.name.count > $1.name.count }) where text.hasSuffix(unit.name) {
      return decimalNumber(text.dropLast(unit.name.count)).map { $0 * unit.factor }
    }
    return nil
  }
}
