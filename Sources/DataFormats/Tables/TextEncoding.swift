// Text files of other encodings than UTF-8: UTF-16 with a byte-order mark or without one becomes UTF-8 before it is read.
import System

/// The text of a table as UTF-8, and what it was.
struct TableText {
  /// What is read: of the file's own bytes, or of `converted`.
  let bytes: UnsafeRawBufferPointer
  /// As a person calls it; nil for UTF-8.
  let encoding: String?
  private let converted: UnsafeMutableRawBufferPointer?

  /// - Throws: `badData` for UTF-32; `usage` where there is no memory for what UTF-16 becomes.
  init(_ file: UnsafeRawBufferPointer, source: String) throws(DistsgdError) {
    // What ended a file once, and still ends some.
    let file = file.last == 0x1A ? UnsafeRawBufferPointer(rebasing: file.dropLast()) : file
    if file.starts(with: [0xEF, 0xBB, 0xBF]) {
      bytes = UnsafeRawBufferPointer(rebasing: file[3...])
      (encoding, converted) = (nil, nil)
      return
    }
    guard let order = byteOrder(of: file) else {
      bytes = file
      (encoding, converted) = (nil, nil)
      return
    }
    if file.starts(with: [0xFF, 0xFE, 0, 0]) || file.starts(with: [0, 0, 0xFE, 0xFF]) {
      throw DistsgdError(.badData, "\(source) is UTF-32 text: save it as UTF-8")
    }
    try requireMemory(bytes: 1.5 * Double(file.count), for: source)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: file.count / 2 * 3 + 3, alignment: 1)
    let count = convert(file, order, into: memory)
    converted = memory
    bytes = UnsafeRawBufferPointer(rebasing: memory[..<count])
    encoding = "UTF-16"
  }

  func deallocate() { converted?.deallocate() }
}

/// Which byte of a unit comes first, and where the text begins.
private struct ByteOrder {
  var isBig: Bool
  var start: Int
}

/// The order of UTF-16's bytes; nil for text that is none. Without a mark, nearly every second byte of a table is 0.
private func byteOrder(of file: UnsafeRawBufferPointer) -> ByteOrder? {
  guard file.count >= 2 else { return nil }
  if file[0] == 0xFF, file[1] == 0xFE { return ByteOrder(isBig: false, start: 2) }
  if file[0] == 0xFE, file[1] == 0xFF { return ByteOrder(isBig: true, start: 2) }
  let units = min(file.count, 4096) / 2
  guard units >= 4 else { return nil }
  var zeros = (even: 0, odd: 0)
  for unit in 0..<units {
    if file[2 * unit] == 0 { zeros.even += 1 }
    if file[2 * unit + 1] == 0 { zeros.odd += 1 }
  }
  if zeros.even == 0, 10 * zeros.odd > 8 * units { return ByteOrder(isBig: false, start: 0) }
  if zeros.odd == 0, 10 * zeros.even > 8 * units { return ByteOrder(isBig: true, start: 0) }
  return nil
}

/// UTF-8 takes at most three bytes for a unit of UTF-16. Returns how many were written.
private func convert(
  _ file: UnsafeRawBufferPointer, _ order: ByteOrder, into memory: UnsafeMutableRawBufferPointer
) -> Int {
  func unit(_ place: Int) -> UInt32 {
    let (first, second) = (UInt32(file[place]), UInt32(file[place + 1]))
    return order.isBig ? first << 8 | second : second << 8 | first
  }
  var count = 0
  func put(_ byte: UInt32) {
    memory[count] = UInt8(truncatingIfNeeded: byte)
    count += 1
  }
  var place = order.start
  while place + 1 < file.count {
    var code = unit(place)
    place += 2
    if 0xD800..<0xDC00 ~= code, place + 1 < file.count, 0xDC00..<0xE000 ~= unit(place) {
      code = 0x10000 + (code - 0xD800) << 10 + (unit(place) - 0xDC00)
      place += 2
    } else if 0xD800..<0xE000 ~= code {
      code = 0xFFFD
    }
    switch code {
    case 0..<0x80: put(code)
    case 0x80..<0x800:
      put(0xC0 | code >> 6)
      put(0x80 | code & 0x3F)
    case 0x800..<0x10000:
      put(0xE0 | code >> 12)
      put(0x80 | code >> 6 & 0x3F)
      put(0x80 | code & 0x3F)
    default:
      put(0xF0 | code >> 18)
      put(0x80 | code >> 12 & 0x3F)
      put(0x80 | code >> 6 & 0x3F)
      put(0x80 | code & 0x3F)
    }
  }
  return count
}

/// A field's text: UTF-8, or Latin-1 where it is none, so that different bytes stay different texts.
func fieldText(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
  if let text = String(validating: bytes, as: UTF8.self) { return text }
  var text = ""
  for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
  return text
}
