// Reading safetensors files from anywhere: nothing in the header is believed before it is checked.
import System
import Text

extension SafeTensors {
  /// Reads a file. F32 values are taken as they are; F64, F16 and BF16 are converted, and of whole numbers the counts that
  /// PyTorch keeps of batches.
  ///
  /// - Throws: `DistsgdError` (`noInput`, or `badData` when the file is damaged or of another kind).
  package static func read(from path: String) throws -> SafeTensors {
    let file = try FileBytes(path, takesPipe: false)
    defer { withExtendedLifetime(file) {} }
    // The tensors, and the arena that is made of them.
    try requireMemory(bytes: 2 * Double(file.bytes.count), for: "'\(path)'", instead: "a smaller model")
    return try SafeTensors(parsing: file.bytes, path: path)
  }

  /// The metadata of a file, without its tensors; nil where it is no such file.
  package static func metadata(of path: String) -> [String: String]? {
    guard let file = try? FileBytes(path, takesPipe: false), file.bytes.count >= 8 else { return nil }
    return withExtendedLifetime(file) {
      let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
      guard length <= UInt64(file.bytes.count - 8), length <= longestHeader else { return nil }
      var scanner = JSONScanner(UnsafeRawBufferPointer(rebasing: file.bytes[8..<(8 + Int(length))]))
      var words: [String: String] = [:]
      do {
        try scanner.object { scanner, name in
          guard name == "__metadata__" else { return try scanner.skipValue() }
          try scanner.object { scanner, key in words[key] = try scanner.string() }
        }
      } catch { return nil }
      return words
    }
  }

  /// Reads a file's content. Memory is allocated only for what has been found in `bytes`.
  ///
  /// - Parameter path: what errors call the file.
  /// - Throws: `DistsgdError` (`badData`).
  package init(parsing bytes: UnsafeRawBufferPointer, path: String) throws {
    do {
      guard bytes.count >= 8 else {
        throw Damage("it has \(bytes.count) bytes, but the header's length alone takes 8")
      }
      let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
      guard length <= UInt64(bytes.count - 8), length <= longestHeader else {
        throw Damage("its first 8 bytes are not the length of a header within its \(bytes.count) bytes")
      }
      let start = 8 + Int(length)
      let header = try Header(UnsafeRawBufferPointer(rebasing: bytes[8..<start]))
      let data = UnsafeRawBufferPointer(rebasing: bytes[start...])
      try header.requireTiling(of: data.count)
      self.init(
        tensors: header.entries.map { entry in
          Tensor(
            name: entry.name, shape: entry.shape,
            values: entry.type.floats(UnsafeRawBufferPointer(rebasing: data[entry.start..<entry.end])))
        }, metadata: header.metadata)
    } catch let damage as Damage {
      throw DistsgdError(
        .badData,
        "'\(path)' is not a valid safetensors file: \(damage.what); save the model again or name another file"
      )
    }
  }
}

/// What is wrong with a file.
private struct Damage: Error {
  let what: String

  init(_ what: String) { self.what = what }
}

/// The JSON object at a file's start.
private struct Header {
  private(set) var metadata: [String: String] = [:]
  private(set) var entries: [Entry] = []

  init(_ bytes: UnsafeRawBufferPointer) throws {
    var scanner = JSONScanner(bytes)
    var names: Set<String> = []
    do {
      try scanner.object { scanner, name in
        guard names.insert(name).inserted else {
          throw Damage("the name \(quoted(name)) stands in it twice")
        }
        if name == "__metadata__" {
          try scanner.object { scanner, key in
            guard metadata.updateValue(try scanner.string(), forKey: key) == nil else {
              throw Damage("its metadata have the key \(quoted(key)) twice")
            }
          }
        } else {
          entries.append(try Entry(name: name, from: &scanner))
        }
      }
      try scanner.end()
    } catch let failure as JSONScanner.Failure {
      throw Damage("\(failure.what) at byte \(8 + failure.offset)")
    } catch let failure as Entry.Failure {
      throw Damage(failure.what)
    }
  }

  /// The tensors must tile the data: no gap, no overlap, nothing left over.
  func requireTiling(of byteCount: Int) throws(Damage) {
    var end = 0
    for entry in entries.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
      guard entry.start == end, entry.end <= byteCount else {
        throw Damage(
          "tensor \(quoted(entry.name)) lies at bytes \(entry.start) ..< \(entry.end) of \(byteCount), but should start at \(end)"
        )
      }
      end = entry.end
    }
    guard end == byteCount else {
      throw Damage("its tensors take \(end) bytes, but \(byteCount) follow the header")
    }
  }
}

/// The longest header that the format's reference reader takes, in bytes.
private let longestHeader: UInt64 = 100_000_000

/// What the header says of one tensor, with type, shape and size found to agree.
private struct Entry {
  struct Failure: Error { var what: String }

  var name: String
  var type: ElementType
  var shape: [Int]
  /// The tensor's bytes are `start ..< end` of the data.
  var start: Int
  var end: Int

  init(name: String, from scanner: inout JSONScanner) throws {
    self.name = name
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object { scanner, key in
      switch key {
      case "dtype" where type == nil: type = try scanner.string()
      case "shape" where shape == nil: shape = try scanner.naturalNumbers()
      case "data_offsets" where offsets == nil: offsets = try scanner.naturalNumbers()
      default: throw Failure(what: "tensor \(quoted(name)) has an unknown or a repeated field \(quoted(key))")
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2, offsets[0] <= offsets[1] else {
      throw Failure(what: "tensor \(quoted(name)) should have dtype, shape and data_offsets [start, end]")
    }
    guard let elementType = ElementType(rawValue: type),
      elementType != .int64 || name.split(separator: ".").last == "num_batches_tracked"
    else {
      throw Failure(
        what: "tensor \(quoted(name)) holds \(quoted(type)), but it should be F32, F64, F16 or BF16")
    }
    var size = elementType.size
    for length in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: length)
      guard !overflow else { throw Failure(what: "tensor \(quoted(name)) is larger than any memory") }
      size = product
    }
    guard size == offsets[1] - offsets[0] else {
      throw Failure(
        what:
          "tensor \(quoted(name)) of shape [\(listed(shape.map(String.init)))] takes \(size) bytes, but has \(offsets[1] - offsets[0])"
      )
    }
    self.type = elementType
    self.shape = shape
    start = offsets[0]
    end = offsets[1]
  }
}

/// The types of numbers that are taken as floats.
private enum ElementType: String {
  case float32 = "F32"
  case float64 = "F64"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int64 = "I64"

  /// Bytes an element.
  var size: Int {
    switch self {
    case .float32: 4
    case .float64, .int64: 8
    case .float16, .bfloat16: 2
    }
  }

  /// The elements of `bytes`, whose count must be a multiple of `size`, as 32-bit floats.
  func floats(_ bytes: UnsafeRawBufferPointer) -> [Float] {
    [Float](unsafeUninitializedCapacity: bytes.count / size) { floats, count in
      count = bytes.count / size
      switch self {
      case .float32:
        UnsafeMutableRawBufferPointer(floats).copyMemory(from: bytes)
      case .float64:
        for i in 0..<count {
          floats.initializeElement(
            at: i, to: Float(bytes.loadUnaligned(fromByteOffset: 8 * i, as: Double.self)))
        }
      case .int64:
        for i in 0..<count {
          floats.initializeElement(
            at: i, to: Float(bytes.loadUnaligned(fromByteOffset: 8 * i, as: Int64.self)))
        }
      case .float16:
        for i in 0..<count {
          floats.initializeElement(
            at: i, to: widened(half: bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)))
        }
      case .bfloat16:
        for i in 0..<count {
          let bits = UInt32(bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)) << 16
          floats.initializeElement(at: i, to: Float(bitPattern: bits))
        }
      }
    }
  }
}

/// A 16-bit float (IEEE 754 binary16) as a 32-bit one; Swift's own `Float16` is not on every machine.
private func widened(half bits: UInt16) -> Float {
  let sign = UInt32(bits & 0x8000) << 16
  let exponent = UInt32(bits >> 10) & 0x1F
  let fraction = UInt32(bits & 0x3FF)
  switch exponent {
  case 0: return Float(bitPattern: sign | (Float(fraction) * 0x1p-24).bitPattern)
  case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
  default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}

/// A name out of a file, for an error's one line.
private func quoted(_ name: String) -> String { "'\(printable(name, limit: 60))'" }
