// Numbers and columns as text, without locale and without Foundation.
import Glibc

/// `value` with `decimals` digits behind the point.
package func fixed(_ value: Double, _ decimals: Int) -> String {
  formatted("%.\(decimals)f", value)
}

private func formatted(_ format: String, _ value: Double) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
    _ = withVaList([value]) { vsnprintf(buffer.baseAddress!, buffer.count, format, $0) }
    return String(cString: buffer.baseAddress!)
  }
}

/// Seconds with at least four decimals and at least two significant digits.
package func readableSeconds(_ seconds: Double) -> String {
  guard seconds > 0, seconds.isFinite else { return fixed(seconds, 4) }
  return fixed(seconds, max(4, 1 - Int(log10(seconds).rounded(.down))))
}

/// A loss as the chapter prints it, with three decimals or so many; a small one with three digits that matter, 0.00123 or
/// 1.23e-05; one that nobody would count the digits of, as 4.1e+20.
package func readableLoss(_ loss: Double, _ decimals: Int = 3) -> String {
  let size = abs(loss)
  guard size.isFinite, size > 0, size < 1e6 else {
    return size >= 1e6 ? formatted("%.1e", loss) : fixed(loss, decimals)
  }
  if size >= pow(10, Double(1 - decimals)) { return fixed(loss, decimals) }
  return size < 1e-4 ? formatted("%.2e", loss) : fixed(loss, 2 - Int(log10(size).rounded(.down)))
}

/// A measure: `decimals` digits behind the point, or of a very small or large one three digits that matter.
package func readableMeasure(_ value: Double, _ decimals: Int = 3) -> String {
  value == 0 || 0.01..<1e6 ~= abs(value) ? fixed(value, decimals) : formatted("%.3g", value)
}

/// `text` filled with blanks to `width`.
package func padded(_ text: String, _ width: Int, left: Bool = false) -> String {
  let blanks = String(repeating: " ", count: max(0, width - text.count))
  return left ? text + blanks : blanks + text
}

/// 64 bits as 16 hexadecimal digits.
package func hexadecimal(_ bits: UInt64) -> String {
  let digits = String(bits, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

/// `235146` as `235,146`.
package func grouped(_ count: Int) -> String {
  var digits = Substring(String(count.magnitude))
  var groups: [Substring] = []
  while digits.count > 3 {
    groups.insert(digits.suffix(3), at: 0)
    digits = digits.dropLast(3)
  }
  return (count < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
}

/// A number of things: `1 class`, `2 classes`, `3 columns`.
package func counted(_ number: Int, _ thing: String) -> String {
  "\(number) \(thing)\(number == 1 ? "" : thing.hasSuffix("s") ? "es" : "s")"
}
