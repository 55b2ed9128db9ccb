// Numbers and times as pages show them.
import Glibc
import Text

/// A number with `digits` digits that matter and no zeros behind them: `0.7148`, `2.1e-07`, `20000`.
package func shortNumber(_ value: Double, _ digits: Int = 4) -> String {
  guard value.isFinite else { return "–" }
  if value == value.rounded(), abs(value) < 1e15 { return "\(Int(value))" }
  let magnitude = Int(log10(abs(value)).rounded(.down))
  guard (-4...8).contains(magnitude) else {
    let scaled = value / pow(10, Double(magnitude))
    return "\(withoutZeros(fixed(scaled, max(digits - 1, 0))))e\(magnitude)"
  }
  return withoutZeros(fixed(value, max(digits - 1 - magnitude, 0)))
}

private func withoutZeros(_ text: String) -> String {
  guard text.contains(".") else { return text }
  var text = Substring(text)
  while text.last == "0" { text.removeLast() }
  if text.last == "." { text.removeLast() }
  return String(text)
}

/// A time in the unit that suits it: `3.4 µs`, `12 ms`, `1.83 s`, `2 h 5 min`.
package func duration(_ seconds: Double) -> String {
  switch seconds {
  case ..<0: return "–"
  case 0: return "0 s"
  case ..<1e-6: return "\(shortNumber(seconds * 1e9, 3)) ns"
  case ..<1e-3: return "\(shortNumber(seconds * 1e6, 3)) µs"
  case ..<1: return "\(shortNumber(seconds * 1e3, 3)) ms"
  case ..<100: return "\(shortNumber(seconds, 3)) s"
  case ..<6000: return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
  case ..<1e9: return "\(grouped(Int(seconds) / 3600)) h \(Int(seconds) / 60 % 60) min"
  default: return "\(shortNumber(seconds)) s"
  }
}

/// Numbers in a row as ranges: `0–3, 7`.
package func ranges(_ numbers: [Int]) -> String {
  var parts: [ClosedRange<Int>] = []
  for number in numbers {
    if let last = parts.last, last.upperBound + 1 == number {
      parts[parts.count - 1] = last.lowerBound...number
    } else {
      parts.append(number...number)
    }
  }
  let shown = parts.prefix(16).map {
    $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)"
  }
  return shown.joined(separator: ", ") + (parts.count > 16 ? ", …" : "")
}
