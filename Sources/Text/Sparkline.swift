// Numbers as a line of small bars.

/// `values` as bars of eight heights, the least of them the lowest; those that are not finite as blanks.
package func sparkline(_ values: [Double]) -> String {
  let bars = Array("▁▂▃▄▅▆▇█")
  let finite = values.filter(\.isFinite)
  guard let least = finite.min(), let greatest = finite.max() else {
    return String(repeating: " ", count: values.count)
  }
  // Differences of numbers near the largest are not finite themselves.
  let range = greatest / 2 - least / 2
  return String(
    values.map { value in
      guard value.isFinite else { return " " }
      guard range > 0 else { return bars[3] }
      return bars[min(7, max(0, Int((value / 2 - least / 2) / range * 8)))]
    })
}

/// `12 s`, `3 min 05 s`, `1 h 05 min`, `2 d 3 h`: rounded up, for who waits.
package func readableDuration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "?" }
  func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  let whole = Int(seconds.rounded(.up))
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min \(two(whole % 60)) s" }
  if whole < 86_400 { return "\(whole / 3600) h \(two(whole % 3600 / 60)) min" }
  return "\(whole / 86_400) d \(whole % 86_400 / 3600) h"
}
