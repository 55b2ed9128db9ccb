// Tick values as exact decimals, so that a label never shows a rounding error.
import Glibc

/// digits × 10^exponent.
package struct Decimal: Sendable, Equatable {
  package let digits: Int
  package let exponent: Int

  package init(digits: Int, exponent: Int) {
    self.digits = digits
    self.exponent = exponent
  }

  package var value: Double {
    // Dividing by an exact power of ten is correctly rounded; multiplying by an inexact one is not.
    exponent >= 0
      ? Double(digits) * pow(10, Double(exponent)) : Double(digits) / pow(10, Double(-exponent))
  }

  /// The number in plain notation, with exactly −exponent decimals: `0.50`, `−3`, `1200`.
  package var plain: String {
    let sign = digits < 0 ? "−" : ""
    var text = String(digits.magnitude)
    if exponent >= 0 { return sign + (digits == 0 ? "0" : text + String(repeating: "0", count: exponent)) }
    if text.count <= -exponent { text = String(repeating: "0", count: -exponent - text.count + 1) + text }
    let point = text.index(text.endIndex, offsetBy: exponent)
    return sign + text[..<point] + "." + text[point...]
  }

  /// The exponent of the leading digit.
  private var magnitude: Int { exponent + String(digits.magnitude).count - 1 }

  /// Labels of equally spaced numbers, all in one notation: `0.2`, or `2.0·10⁻⁷`.
  package static func labels(_ numbers: [Decimal]) -> [String] {
    let largest = numbers.filter { $0.digits != 0 }.map(\.magnitude).max() ?? 0
    let smallest = numbers.map(\.exponent).min() ?? 0
    if largest <= 5, smallest >= -6, largest >= -4 { return numbers.map(\.plain) }
    return numbers.map { number in
      if number.digits == 0 { return "0" }
      return Decimal(digits: number.digits, exponent: number.exponent - largest).plain + "·10"
        + superscript(largest)
    }
  }

  /// Labels of numbers over several decades, all in one notation: `0.001`, `1`, `1000`, or `10⁻³`.
  package static func powerLabels(_ numbers: [Decimal]) -> [String] {
    if numbers.allSatisfy({ (-4...5).contains($0.exponent) }) { return numbers.map(\.plain) }
    return numbers.map { number in
      (number.digits == 1 ? "" : "\(number.digits)·") + "10" + superscript(number.exponent)
    }
  }

  private static func superscript(_ number: Int) -> String {
    let digits: [Character] = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
    return (number < 0 ? "⁻" : "") + String(String(number.magnitude).map { digits[Int(String($0))!] })
  }
}
