// Arrays of text: class names, numbered in their order.

/// The elements of a NumPy array of text as numbers.
struct NumberedTexts {
  /// The different texts, in the order of their Unicode scalars.
  var texts: [String]
  /// The place of each element's text.
  var numbers: [Double]

  /// - Parameter data: elements of the header's type, as many as there are whole.
  init(_ data: UnsafeRawBufferPointer, _ header: NPYHeader) {
    let size = header.elementSize
    let count = data.count / size
    // Elements are compared as bytes; each different one is made a text once.
    var first: [ElementKey: Int] = [:]
    var decoded: [String] = []
    var codes: [Int] = []
    codes.reserveCapacity(count)
    for index in 0..<count {
      let element = UnsafeRawBufferPointer(rebasing: data[index * size..<(index + 1) * size])
      let key = ElementKey(bytes: element)
      if let code = first[key] {
        codes.append(code)
      } else {
        first[key] = decoded.count
        codes.append(decoded.count)
        decoded.append(Self.text(element, header))
      }
    }
    // Different bytes may be one text: what does not decode becomes U+FFFD.
    let names = Set(decoded).sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
    let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Double($0)) })
    let numbers = decoded.map { places[$0]! }
    texts = names
    self.numbers = codes.map { numbers[$0] }
  }

  /// Without the zeros that fill an element.
  private static func text(_ element: UnsafeRawBufferPointer, _ header: NPYHeader) -> String {
    if header.type.hasPrefix("S") {
      let length = (element.lastIndex { $0 != 0 } ?? -1) + 1
      return String(decoding: element[..<length], as: UTF8.self)
    }
    var scalars = String.UnicodeScalarView()
    var zeros = 0
    for offset in stride(from: 0, to: element.count, by: 4) {
      let raw = element.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
      let value = header.isBigEndian ? UInt32(bigEndian: raw) : UInt32(littleEndian: raw)
      if value == 0 {
        zeros += 1
        continue
      }
      for _ in 0..<zeros { scalars.append("\0") }
      zeros = 0
      scalars.append(Unicode.Scalar(value) ?? "\u{FFFD}")
    }
    return String(scalars)
  }

  /// An element's bytes.
  private struct ElementKey: Hashable {
    let bytes: UnsafeRawBufferPointer

    static func == (a: Self, b: Self) -> Bool { a.bytes.elementsEqual(b.bytes) }
    func hash(into hasher: inout Hasher) { hasher.combine(bytes: bytes) }
  }
}
