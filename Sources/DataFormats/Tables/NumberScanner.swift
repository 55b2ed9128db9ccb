// Decimal text to the nearest Double, fast for the numbers that tables are made of.

/// The number at the start of the bytes and where it ends, or `end == nil` where no number starts.
///
/// Takes `[+-] digits [. digits] [e [+-] digits]` with at least one digit; `point` may be a comma. The value is always the Double
/// nearest to the text: up to 2^53 × 10^±22 by one exact multiplication or division (Clinger 1990), up to 19
/// digits × 10^±27 by exact 128-bit integers, and the rest by the standard library.
@inline(__always)
package func scanNumber(
  _ start: UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>, point: UInt8 = UInt8(ascii: ".")
) -> (value: Double, end: UnsafePointer<UInt8>?) {
  var p = start
  var negative = false
  if p < limit {
    // Without a branch: what comes in no order is guessed wrong half of the time.
    negative = p.pointee == UInt8(ascii: "-")
    p += negative || p.pointee == UInt8(ascii: "+") ? 1 : 0
  }
  if let (magnitude, end) = shortDecimal(p, limit, point) { return (negative ? -magnitude : magnitude, end) }
  var mantissa: UInt64 = 0
  let whole = p
  p = scanDigits(p, limit, &mantissa)
  var digits = p - whole
  var exponent = 0
  if p < limit, p.pointee == point {
    p += 1
    let fraction = p
    p = scanDigits(p, limit, &mantissa)
    exponent = fraction - p
    digits += p - fraction
  }
  if digits == 0 { return (0, nil) }
  if p < limit, p.pointee | 0x20 == UInt8(ascii: "e") {
    var q = p + 1
    var isNegative = false
    if q < limit, q.pointee == UInt8(ascii: "-") {
      isNegative = true
      q += 1
    } else if q < limit, q.pointee == UInt8(ascii: "+") {
      q += 1
    }
    let first = q
    var power = 0
    while q < limit {
      let digit = q.pointee &- 48
      if digit > 9 { break }
      if power < 100_000 { power = power * 10 + Int(digit) }
      q += 1
    }
    if q > first {
      exponent += isNegative ? -power : power
      p = q
    }
  }
  let magnitude: Double
  if digits <= 19, mantissa <= 1 << 53, exponent >= -22, exponent <= 22 {
    magnitude =
      exponent < 0
      ? Double(mantissa) / powersOfTen[-exponent] : Double(mantissa) * powersOfTen[exponent]
  } else if digits <= 19, exponent >= -27, exponent <= 27 {
    magnitude = exactDecimal(mantissa, exponent)
  } else {
    let text = UnsafeBufferPointer(start: whole, count: p - whole)
    let digits = String(decoding: text.map { $0 == point ? UInt8(ascii: ".") : $0 }, as: UTF8.self)
    magnitude = Double(digits) ?? .nan
  }
  return (negative ? -magnitude : magnitude, p)
}

/// What most numbers of a table are: `digits [. digits]` and what ends them, all within eight bytes.
@inline(__always)
private func shortDecimal(
  _ start: UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>, _ point: UInt8
) -> (value: Double, end: UnsafePointer<UInt8>)? {
  guard limit - start >= 8 else { return nil }
  let word = EightBytes(start)
  let notDigits = word.notDigits
  guard notDigits != 0 else { return nil }
  var end = notDigits.trailingZeroBitCount >> 3
  var digits = word.digits
  var count = end
  var fraction = 0
  if start[end] == point {
    let next = notDigits & (notDigits &- 1)
    guard next != 0 else { return nil }
    // The digits after the point move to its place.
    let low = 1 &<< UInt64(8 * end) &- 1
    digits = digits & low | digits &>> 8 & ~low
    count = next.trailingZeroBitCount >> 3 - 1
    fraction = count - end
    end = count + 1
  }
  guard count > 0, start[end] | 0x20 != UInt8(ascii: "e") else { return nil }
  let mantissa = EightBytes.number(ofDigits: digits &<< UInt64(64 - 8 * count))
  return (Double(Int64(bitPattern: mantissa)) / powersOfTen[fraction], start + end)
}

/// Adds the digits at the start of the bytes to a number's; returns where they end.
@inline(__always)
private func scanDigits(
  _ start: UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>, _ mantissa: inout UInt64
) -> UnsafePointer<UInt8> {
  var p = start
  while limit - p >= 8, case let word = EightBytes(p), word.notDigits == 0 {
    mantissa = mantissa &* 100_000_000 &+ EightBytes.number(ofDigits: word.digits)
    p += 8
  }
  while p < limit {
    let digit = p.pointee &- 48
    if digit > 9 { break }
    mantissa = mantissa &* 10 &+ UInt64(digit)
    p += 1
  }
  return p
}

/// mantissa × 10^exponent for |exponent| ≤ 27, rounded once.
///
/// 10^e = 5^e · 2^e and 5^27 < 2^64, so the product, or the quotient with its remainder as a sticky bit, is
/// exact in 128 bits; `Double(UInt64)` then rounds to nearest even.
package func exactDecimal(_ mantissa: UInt64, _ exponent: Int) -> Double {
  if mantissa == 0 { return 0 }
  if exponent >= 0 {
    let product = mantissa.multipliedFullWidth(by: powersOfFive[exponent])
    if product.high == 0 { return Double(product.low) * powerOfTwo(exponent) }
    let shift = product.high.leadingZeroBitCount
    let top = shift == 0 ? product.high : product.high << shift | product.low >> (64 - shift)
    let sticky: UInt64 = product.low << shift != 0 ? 1 : 0
    return Double(top | sticky) * powerOfTwo(exponent + 64 - shift)
  }
  let divisor = powersOfFive[-exponent]
  let numeratorShift = mantissa.leadingZeroBitCount
  let divisorShift = divisor.leadingZeroBitCount
  let numerator = mantissa << numeratorShift
  let (quotient, remainder) = (divisor << divisorShift).dividingFullWidth((numerator >> 1, numerator << 63))
  let sticky: UInt64 = remainder != 0 ? 1 : 0
  return Double(quotient | sticky) * powerOfTwo(exponent + divisorShift - numeratorShift - 63)
}

/// 2^exponent, for normal results.
@inline(__always)
private func powerOfTwo(_ exponent: Int) -> Double {
  Double(bitPattern: UInt64(exponent + 1023) << 52)
}

private let powersOfTen: [Double] = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
  1e19, 1e20, 1e21, 1e22,
]

private let powersOfFive: [UInt64] = [
  1, 5, 25, 125, 625, 3125, 15625, 78125, 390_625, 1_953_125, 9_765_625, 48_828_125, 244_140_625,
  1_220_703_125, 6_103_515_625, 30_517_578_125, 152_587_890_625, 762_939_453_125, 3_814_697_265_625,
  19_073_486_328_125, 95_367_431_640_625, 476_837_158_203_125, 2_384_185_791_015_625, 11_920_928_955_078_125,
  59_604_644_775_390_625, 298_023_223_876_953_125, 1_490_116_119_384_765_625, 7_450_580_596_923_828_125,
]
