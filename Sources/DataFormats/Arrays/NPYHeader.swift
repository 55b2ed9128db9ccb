// Reads the header of a NumPy array file (NEP 1; versions 1, 2 and 3).
import System
import Text

/// What a `.npy` file says of its data.
struct NPYHeader: Equatable {
  /// Kind and bytes of an element: `f4`, `u1`, ….
  var type: String
  var isBigEndian: Bool
  var isFortranOrder: Bool
  var shape: [Int]
  /// Where the elements begin.
  var dataOffset: Int

  /// Types of numbers that are read, with their sizes in bytes.
  private static let numberSizes = [
    "f2": 2, "f4": 4, "f8": 8, "i1": 1, "u1": 1, "b1": 1, "i2": 2, "u2": 2, "i4": 4, "u4": 4, "i8": 8,
    "u8": 8,
  ]

  /// Bytes of an element; nil for a type that is not read.
  private static func size(of type: String) -> Int? {
    if let size = numberSizes[type] { return size }
    // Text of so many characters, of four bytes (U) or one (S).
    guard let kind = type.first, kind == "U" || kind == "S", let length = Int(type.dropFirst()),
      (1...1 << 20).contains(length)
    else { return nil }
    return kind == "U" ? 4 * length : length
  }

  var elementSize: Int { NPYHeader.size(of: type) ?? 0 }
  /// Text, and not numbers.
  var isText: Bool { type.hasPrefix("U") || type.hasPrefix("S") }
  /// Bytes that `readNPY` takes for an element.
  var valueSize: Int {
    if isText { return 24 + elementSize }
    return type == "u1" ? 1 : type == "f4" || elementSize < 4 ? 4 : 8
  }
  /// Bytes of the file that has this header; nil where no file can be so long.
  var fileSize: Int? {
    guard let count = product(shape), count < 1 << 56 else { return nil }
    return dataOffset + count * elementSize
  }
  /// Whole numbers, which as targets are class numbers.
  var isInteger: Bool { !type.hasPrefix("f") && !isText }

  /// - Parameter bytes: the file, or at least its header.
  /// - Throws: `badData` for what is no header, or a data type that is not read.
  init(_ bytes: UnsafeRawBufferPointer, source: String) throws(DistsgdError) {
    guard bytes.count >= 10, bytes.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) else {
      throw DistsgdError(.badData, "\(source) is no NumPy array: expected a file of numpy.save")
    }
    let version = bytes[6]
    guard (1...3).contains(version), version == 1 || bytes.count >= 12 else {
      throw DistsgdError(
        .badData,
        "\(source) has the npy version \(version): versions 1 to 3 are read; save it again with numpy.save")
    }
    let start = version == 1 ? 10 : 12
    let length =
      version == 1
      ? Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)))
      : Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
    guard length <= 1 << 20, start + length <= bytes.count else {
      throw DistsgdError(.badData, "\(source) ends in its header: write it again with numpy.save")
    }
    let text = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
    guard let fields = HeaderFields(text), let order = fields.isFortranOrder, let shape = fields.shape else {
      throw DistsgdError(.badData, "the npy header of \(source) is damaged: write it again with numpy.save")
    }
    guard let descriptor = fields.descriptor, let first = descriptor.first else {
      throw DistsgdError(
        .badData, "\(source) holds records: expected plain numbers (save each field as its own array)")
    }
    type = String(descriptor.dropFirst())
    isBigEndian = first == ">"
    guard "<>|=".contains(first), NPYHeader.size(of: type) != nil else {
      throw DistsgdError(
        .badData, "\(source) has the data type '\(printable(descriptor))': \(NPYHeader.advice(on: type))")
    }
    isFortranOrder = order
    self.shape = shape
    dataOffset = start + length
  }
}

extension NPYHeader {
  /// What makes another type one that is read.
  private static func advice(on type: String) -> String {
    let numbers = "float16, float32, float64, bool or integers"
    return switch type.first {
    case "O":
      "Python's objects, which Python alone can read; save a.astype('float32') of numbers, a.astype('U') of class names, and columns of several kinds by pandas.DataFrame(a).to_csv('a.csv', index=False)"
    case "c":
      "complex numbers; save numpy.concatenate([a.real, a.imag], axis=-1), or what the model needs of them"
    case "M", "m": "dates or durations; save a.astype('int64'), which counts them in their own unit"
    case "T", "a": "text; save a.astype('U')"
    case "U", "S": "text of no length, or too long a one; save shorter class names by a.astype('U')"
    default: "expected \(numbers); convert it with astype('float32')"
    }
  }
}

/// The Python dictionary literal of a header, read with no more grammar than it needs.
private struct HeaderFields {
  var descriptor: String?
  var isFortranOrder: Bool?
  var shape: [Int]?

  init?(_ text: UnsafeRawBufferPointer) {
    var scanner = Scanner(text: text)
    guard scanner.take("{") else { return nil }
    while !scanner.take("}") {
      guard let key = scanner.string(), scanner.take(":") else { return nil }
      switch key {
      case "descr":
        descriptor = scanner.string()
        if descriptor == nil, !scanner.skipList() { return nil }
      case "fortran_order":
        isFortranOrder = scanner.take("True") ? true : scanner.take("False") ? false : nil
        if isFortranOrder == nil { return nil }
      case "shape":
        shape = scanner.tuple()
        if shape == nil { return nil }
      default: return nil
      }
      _ = scanner.take(",")
    }
  }

  private struct Scanner {
    let text: UnsafeRawBufferPointer
    var position = 0

    mutating func skipBlanks() {
      while position < text.count, text[position] == 0x20 || text[position] == 0x0A { position += 1 }
    }

    mutating func take(_ word: StaticString) -> Bool {
      skipBlanks()
      let wanted = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
      guard text[position...].starts(with: wanted) else { return false }
      position += wanted.count
      return true
    }

    mutating func string() -> String? {
      skipBlanks()
      guard position < text.count, text[position] == 0x27 || text[position] == 0x22 else { return nil }
      guard let end = text[(position + 1)...].firstIndex(of: text[position]) else { return nil }
      defer { position = end + 1 }
      return String(decoding: text[position + 1..<end], as: UTF8.self)
    }

    mutating func tuple() -> [Int]? {
      guard take("(") else { return nil }
      var values: [Int] = []
      while !take(")") {
        skipBlanks()
        var value = 0
        let start = position
        while position < text.count, text[position] &- 48 <= 9 {
          guard value < 1 << 56 else { return nil }
          value = value * 10 + Int(text[position] &- 48)
          position += 1
        }
        // NumPy 1 under Python 2 wrote long integers as 3L.
        guard position > start, values.count < 64 else { return nil }
        _ = take("L")
        values.append(value)
        _ = take(",")
      }
      return values
    }

    /// A record type: a list, whose contents nobody wants.
    mutating func skipList() -> Bool {
      guard take("[") else { return false }
      var depth = 1
      while depth > 0, position < text.count {
        if text[position] == UInt8(ascii: "[") { depth += 1 }
        if text[position] == UInt8(ascii: "]") { depth -= 1 }
        position += 1
      }
      return depth == 0
    }
  }
}
