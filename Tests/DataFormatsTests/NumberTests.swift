import DataFormats
import Foundation
import RandomNumbers
import System
import Testing

/// Number parsing, SHA-1 and normal draws.
@Suite struct NumberTests {
  @Test(arguments: [
    "0", "-0", "1", "+1", "1.", ".5", "0.1", "-2e3", "1e22", "1e23", "9007199254740993", "8.5e-5", "1e-400",
    "123456789012345678", "1234567890123456789012", "0.000000000000000000000001234",
    "2.2250738585072014e-308",
    "4.9e-324", "1.7976931348623157e308", "9007199254740992.9999999999999999999999999", "3e27", "7e-27",
    "18446744073709551615e5", "0.30000000000000004", "6631236871469758276785396630275967242e-12",
  ])
  func agreesWithStrtod(text: String) {
    #expect(scanned(text)?.bitPattern == strtod(text, nil).bitPattern)
  }

  @Test func randomNumbersAgreeWithStrtod() {
    let random = Philox(seed: 1, purpose: .syntheticData)
    var wrong: [String] = []
    for i in 0..<200_000 as Range<UInt64> {
      let digits = random.integer(4 * i, below: 19) + 1
      let mantissa = random.bits(4 * i + 1) % UInt64(pow(10, Double(digits)))
      let exponent = random.integer(4 * i + 2, below: 70) - 40
      let text = "\(mantissa)e\(exponent)"
      if scanned(text) != strtod(text, nil) { wrong.append(text) }
      // Shortest decimal of a random Double with an everyday exponent.
      let value = Double(sign: .plus, exponent: exponent, significand: 1 + random.uniform(4 * i + 3))
      if scanned("\(value)") != value { wrong.append("\(value)") }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  @Test(arguments: ["", "-", ".", "e5", "abc", "1.5x", "1 2", "0x10", "nan", "inf", "1e", "--1", "1,5"])
  func refuses(text: String) {
    #expect(scanned(text) == nil)
  }

  /// What follows a number in a table, and how long the number is, changes nothing.
  @Test func numbersBeforeOthersAgreeWithStrtod() {
    let random = Philox(seed: 2, purpose: .syntheticData)
    var wrong: [String] = []
    for i in 0..<100_000 as Range<UInt64> {
      let digits = String(random.bits(4 * i) >> 4).suffix(random.integer(4 * i + 1, below: 12) + 1)
      var text = String(digits)
      let place = random.integer(4 * i + 2, below: 2 * text.count + 1)
      if place <= text.count { text.insert(".", at: text.index(text.startIndex, offsetBy: place)) }
      text = ["", "-", "+"][Int(i % 3)] + text + ["", "e3", "E-2", "e"][random.integer(4 * i + 3, below: 4)]
      let value = strtod(text, nil)
      let isWhole = !text.hasSuffix("e")
      for end in [",", ",1234567", "\n-1.5,2.25", ".5,1,2,3,4", "\u{B0}\u{BA}.12345", " 1234567", "/:;<=>?@"]
      {
        var line = text + end
        let (found, length) = line.withUTF8 { bytes in
          let (value, end) = scanNumber(bytes.baseAddress!, bytes.baseAddress! + bytes.count)
          return (value, end.map { $0 - bytes.baseAddress! })
        }
        // A second point, or an e without digits, ends a number; the first point belongs to it.
        if end.hasPrefix("."), !text.contains(".") { continue }
        if found.bitPattern != value.bitPattern || length != text.utf8.count - (isWhole ? 0 : 1) {
          wrong.append(line)
        }
      }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  /// FIPS 180-4's examples.
  @Test(arguments: [
    ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
    ),
    (String(repeating: "a", count: 1_000_000), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
  ])
  func secureHash(text: String, digest: String) {
    #expect(Array(text.utf8).withUnsafeBytes { sha1($0) } == digest)
  }

  @Test func normalDrawsHaveMeanZeroAndVarianceOne() {
    let random = Philox(seed: 7, purpose: .syntheticData)
    let draws = (0..<200_000 as Range<UInt64>).map { random.normal($0) }
    let count = Double(draws.count)
    let mean = draws.reduce(0, +) / count
    let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    let fourth = draws.reduce(0) { $0 + pow($1 - mean, 4) } / count
    // Five standard errors: 1/√N, √(2/N), √(96/N).
    #expect(abs(mean) < 5 / count.squareRoot())
    #expect(abs(variance - 1) < 5 * (2 / count).squareRoot())
    #expect(abs(fourth - 3) < 5 * (96 / count).squareRoot())
  }
}

/// The number that is the whole of `text`, as tables are scanned.
private func scanned(_ text: String) -> Double? {
  var text = text
  return text.withUTF8 { bytes -> Double? in
    guard let base = bytes.baseAddress else { return nil }
    let (value, end) = scanNumber(base, base + bytes.count)
    return end == base + bytes.count ? value : nil
  }
}
