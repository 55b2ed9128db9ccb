// Eight characters of a text, looked at together.

/// The first of them is the lowest byte.
struct EightBytes {
  let word: UInt64

  /// - Parameter start: of eight bytes at least.
  @inline(__always)
  init(_ start: UnsafePointer<UInt8>) {
    word = UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
  }

  /// The highest bit of each byte that is this one.
  @inline(__always)
  func places(of byte: UInt8) -> UInt64 {
    let zeros = word ^ 0x0101_0101_0101_0101 &* UInt64(byte)
    return ~(zeros & 0x7F7F_7F7F_7F7F_7F7F &+ 0x7F7F_7F7F_7F7F_7F7F | zeros) & 0x8080_8080_8080_8080
  }

  /// A byte each: of a digit its value, of another character 10 or more.
  @inline(__always)
  var digits: UInt64 { word ^ 0x3030_3030_3030_3030 }

  /// The highest bit of each byte that is no digit.
  @inline(__always)
  var notDigits: UInt64 {
    (digits & 0x7F7F_7F7F_7F7F_7F7F &+ 0x7676_7676_7676_7676 | digits) & 0x8080_8080_8080_8080
  }

  /// The number that eight digits are: neighbours are put together, then pairs, then fours.
  @inline(__always)
  static func number(ofDigits digits: UInt64) -> UInt64 {
    let pairs = (digits &* (10 << 8 + 1)) &>> 8 & 0x00FF_00FF_00FF_00FF
    let fours = (pairs &* (100 << 16 + 1)) &>> 16 & 0x0000_FFFF_0000_FFFF
    return (fours &* (10_000 << 32 + 1)) &>> 32
  }
}
