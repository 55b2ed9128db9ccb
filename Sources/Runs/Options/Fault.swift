// Faults that are made on purpose, for the fault drill: `--inject`.
import Text

/// What goes wrong, on which rank, and when.
package struct Fault: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    /// The rank's process is killed (SIGKILL).
    case kill
    /// The rank's process is stopped (SIGSTOP).
    case stop
    /// Every step takes the rank `factor` times as long to compute.
    case slow
    /// A bit of the rank's parameters turns over.
    case bitflip
    /// The rank works on the examples of another step.
    case desync
    /// One of the rank's parameters becomes NaN.
    case nan
    /// From now on rank 0 can write nothing more.
    case fullDisk = "full-disk"
  }

  package var kind: Kind
  package var rank = 0
  /// Before this step; counted from 1.
  package var step = 1
  package var factor = 2.0

  package static let forms =
    "kill:rank=3,step=50, or stop, bitflip, desync or nan in its place; slow:rank=1,factor=2; full-disk:step=50"

  /// As `forms` has it; nil when `text` is none of them.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let kind = Kind(rawValue: parts[0]) else { return nil }
    self.kind = kind
    var needed: Set<String>
    switch kind {
    case .slow: needed = ["rank", "factor"]
    case .fullDisk: needed = ["step"]
    default: needed = ["rank", "step"]
    }
    for setting in parts.count == 2 ? parts[1].split(separator: ",", omittingEmptySubsequences: false) : [] {
      let words = setting.split(separator: "=", maxSplits: 1).map(String.init)
      guard words.count == 2, needed.remove(words[0]) != nil else { return nil }
      switch words[0] {
      case "rank":
        guard let value = Int(words[1]), value >= 0 else { return nil }
        rank = value
      case "step":
        guard let value = Int(words[1]), value >= 1 else { return nil }
        step = value
      default:
        guard let value = decimalNumber(words[1]), value > 1, value <= 1e6 else { return nil }
        factor = value
      }
    }
    guard needed.isEmpty else { return nil }
  }
}
