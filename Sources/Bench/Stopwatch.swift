// Timing by repetition: warm up, repeat until the clock is good enough, take several samples, and say how
// far apart they are.
import System
import Text

/// The time of one call, over several samples.
package struct Timing: Sendable, Equatable {
  /// Seconds of one call.
  package let median, least, greatest: Double
  /// A tenth of the samples is below p10, a tenth above p90.
  package let p10, p90: Double

  package init(_ samples: [Double]) {
    let sorted = samples.sorted()
    func quantile(_ fraction: Double) -> Double {
      let place = fraction * Double(sorted.count - 1)
      let below = Int(place)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
    median = quantile(0.5)
    p10 = quantile(0.1)
    p90 = quantile(0.9)
    least = sorted[0]
    greatest = sorted[sorted.count - 1]
  }

  /// Seconds of one call.
  var json: JSONLine {
    var line = JSONLine()
    line["median"] = median
    line["p10"] = p10
    line["p90"] = p90
    line["minimum"] = least
    line["maximum"] = greatest
    return line
  }
}

/// Times every call, in turns: sample k of all, then sample k + 1 of all, so that what disturbs the machine
/// for a while disturbs them alike. Each sample repeats its call for at least `minimumSeconds`.
func time(
  _ calls: [() -> Void], samples: Int = 9, minimumSeconds: Double = 0.02
) -> [Timing] {
  let repetitions = calls.map { repetitionsLasting(minimumSeconds, $0) }
  var seconds = [[Double]](repeating: [], count: calls.count)
  for sample in 0..<samples {
    Stages.part(Double(sample) / Double(samples))
    for (i, call) in calls.enumerated() { seconds[i].append(timeOnce(call, repetitions: repetitions[i])) }
  }
  return seconds.map(Timing.init)
}

/// Doubles the repetitions, which is also the warm-up, until they last long enough.
private func repetitionsLasting(_ minimumSeconds: Double, _ call: () -> Void) -> Int {
  call()
  var repetitions = 1
  while timeOnce(call, repetitions: repetitions) * Double(repetitions) < minimumSeconds { repetitions *= 2 }
  return repetitions
}

private func timeOnce(_ call: () -> Void, repetitions: Int) -> Double {
  let start = monotonicSeconds()
  for _ in 0..<repetitions { call() }
  return (monotonicSeconds() - start) / Double(repetitions)
}

/// Operations (or bytes) a second, in units of 10⁹, from the time of so many of them.
package struct Rate: Sendable, Equatable {
  package let median, least, greatest: Double

  init(_ amount: Double, in timing: Timing) {
    median = amount / timing.median * 1e-9
    least = amount / timing.greatest * 1e-9
    greatest = amount / timing.least * 1e-9
  }

  var json: JSONLine {
    var line = JSONLine()
    line["median"] = median
    line["minimum"] = least
    line["maximum"] = greatest
    return line
  }

  /// `93.1` and `90.0–94.2`, with three significant digits.
  var cells: [String] { [readable(median), "\(readable(least))–\(readable(greatest))"] }
}

/// A positive number with about three significant digits, and all of those before the point.
func readable(_ value: Double) -> String {
  guard value.isFinite, value > 0 else { return fixed(value, 0) }
  return fixed(value, value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3)
}
