// The words of `sweep`: those of `train`, of which many may have several values.
import ArgumentParser
import Experiments
import Runs
import Text

/// A command line of `sweep`, taken apart.
struct SweepWords {
  /// What all runs have in common.
  private(set) var common: [String] = []
  private(set) var axes: [SweepAxis] = []
  /// All values of the options that may have several.
  private var values: [String: [String]] = [:]

  /// Options whose values have no commas of their own, so that commas part several; in the order in which they vary,
  /// the first slowest.
  private static let separable = [
    "activation", "batch-norm", "global-batch", "micro-batch", "last-batch", "epochs", "steps", "sampling",
    "duplicate", "learning-rate", "momentum", "weight-decay", "clip-norm", "clip-value",
    "scale-learning-rate", "base-batch", "label-smoothing", "mixup", "early-stopping", "ema", "swa-from",
    "seed",
  ]
  /// Options that are given once for each value.
  private static let repeated = [
    "model", "loss", "initialize", "optimizer", "schedule", "warmup", "augment", "class-weights",
    "no-decay-for",
  ]
  private static let all = repeated + separable
  /// Numbers that may be drawn from a range.
  private static let ranged: Set = [
    "global-batch", "micro-batch", "epochs", "steps", "duplicate", "learning-rate", "momentum",
    "weight-decay",
    "clip-norm", "clip-value", "base-batch", "label-smoothing", "mixup", "early-stopping", "ema", "swa-from",
  ]
  /// What is said of the sweep and not of its runs: with a value, and without.
  private static let own = (valued: ["random", "concurrent", "target-loss", "resume"], flags: ["json"])

  /// - Parameter draws: whether values are drawn, from ranges too.
  init(_ words: [String], draws: Bool) throws {
    self.init(words)
    for name in Self.all {
      guard let given = values[name] else { continue }
      let words = Self.separable.contains(name) ? given.flatMap(Self.parts) : given
      if Self.ranged.contains(name), let range = words.lazy.compactMap(Self.range).first {
        guard draws else {
          throw ValidationError(
            "--\(name) \(printable(words[0])): a range is there to be drawn from; say how often by --random, or give values by commas"
          )
        }
        guard words.count == 1 else {
          throw ValidationError("--\(name): give one range, or values; not several of them")
        }
        axes.append(SweepAxis(name, .range(range)))
      } else if words.count > 1 || ["global-batch", "learning-rate"].contains(name) {
        axes.append(SweepAxis(name, .list(words.reduce(into: []) { if !$0.contains($1) { $0.append($1) } })))
      } else {
        common += Self.option(name, words[0])
      }
    }
  }

  /// Parts words only, whatever they say.
  private init(_ words: [String]) {
    var rest = words[...]
    while let word = rest.popFirst() {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      var name = String(parts[0].dropFirst(2))
      if name == "lr" { name = "learning-rate" }
      guard word.hasPrefix("--") else {
        common.append(word)
        continue
      }
      if Self.all.contains(name) {
        guard let value = parts.count > 1 ? String(parts[1]) : rest.popFirst() else {
          common.append(word)
          continue
        }
        values[name, default: []].append(value)
      } else if Self.own.valued.contains(name) {
        if parts.count == 1 { _ = rest.popFirst() }
      } else if !Self.own.flags.contains(name) {
        common.append(word)
      }
    }
  }

  /// A command line that ArgumentParser can read: with the first value of every list.
  static func readable(_ words: [String]) -> [String] {
    var result: [String] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = parts[0] == "--lr" ? "learning-rate" : String(parts[0].dropFirst(2))
      guard word.hasPrefix("--"), all.contains(name),
        let value = parts.count > 1 ? String(parts[1]) : rest.popFirst()
      else {
        result.append(word)
        continue
      }
      let first = separable.contains(name) ? Self.parts(value)[0] : value
      result += option(name, ranged.contains(name) ? Self.lowEnd(first) : first)
    }
    return result
  }

  /// What a sweep keeps of its command line: all but how this job makes and tells its runs.
  static func lasting(_ words: [String]) -> [String] {
    var result: [String] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      if ["--resume", "--concurrent"].contains(word) {
        _ = rest.popFirst()
      } else if !["--resume=", "--concurrent="].contains(where: word.hasPrefix), word != "--json" {
        result.append(word)
      }
    }
    return result
  }

  /// An option as words of `train`.
  static func option(_ name: String, _ word: String) -> [String] {
    word == SweepAxis.none ? [] : ["--\(name)=\(word)"]
  }

  private static func parts(_ text: String) -> [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }

  /// `1e-4..1e-1`
  private static func range(_ word: String) -> ClosedRange<Double>? {
    guard let dots = word.firstRange(of: ".."), let low = decimalNumber(word[..<dots.lowerBound]),
      let high = decimalNumber(word[dots.upperBound...]), low < high
    else { return nil }
    return low...high
  }

  private static func lowEnd(_ word: String) -> String {
    range(word) == nil ? word : String(word[..<word.firstRange(of: "..")!.lowerBound])
  }
}
