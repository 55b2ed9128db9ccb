// Reads NumPy array files (.npy) into the narrowest element type that holds them exactly.
import CKernels
import System

/// An array in C order.
struct NPYArray {
  /// At least one dimension.
  var shape: [Int]
  var values: RawExamples.Values
  /// Whole numbers in the file, which as targets are class numbers.
  var isInteger: Bool
  /// Of an array of text, the values are the places of its elements among these, which are in order.
  var texts: [String]?
  /// Where the values are, if they were not read: `values` says of which kind they are, and is empty.
  var mapped: MappedFeatures?

  var rows: Int { shape[0] }
  /// All dimensions after the first, flattened.
  var columns: Int { shape.dropFirst().reduce(1, *) }

  /// All values in double precision.
  var doubles: [Double] {
    switch values {
    case .doubles(let values): return values.array
    case .floats(let values): return values.map(Double.init)
    case .bytes(let values): return values.map(Double.init)
    }
  }
}

/// Reads the bytes of a `.npy` file.
///
/// float16, float32 and integers of at most 16 bits become Float, bytes stay bytes, the rest becomes Double.
/// Text is numbered.
///
/// - Throws: `badData` for a damaged header, an unsupported type, a length other than the shape's, a scalar, no
///   elements, or NaN and infinities (with the place of the first).
func readNPY(_ bytes: UnsafeRawBufferPointer, source: String) throws(DistsgdError) -> NPYArray {
  let header = try NPYHeader(bytes, source: source)
  guard !header.shape.isEmpty else {
    throw DistsgdError(.badData, "\(source) holds a single number: expected an array")
  }
  let available = bytes.count - header.dataOffset
  guard let count = product(header.shape), count <= available,
    count * header.elementSize == available
  else {
    throw DistsgdError(
      .badData,
      "\(available) bytes after the header, \(source): its shape \(header.shape) of \(header.type) needs another number; write it again with numpy.save"
    )
  }
  guard count > 0 else {
    throw DistsgdError(.badData, "\(source) has the shape \(header.shape), no elements: expected some")
  }
  try requireMemory(bytes: Double(count) * Double(header.valueSize), for: source)
  let data = UnsafeRawBufferPointer(rebasing: bytes[header.dataOffset...])
  let big = header.isBigEndian
  let values: RawExamples.Values
  var texts: [String]?
  switch header.type {
  case "u1": values = .bytes(Array(data))
  case "b1": values = .floats(data.map { $0 == 0 ? 0 : 1 })
  case "i1": values = .floats(data.map { Float(Int8(bitPattern: $0)) })
  case "i2": values = .floats(integers(data, big) { (x: Int16) in Float(x) })
  case "u2": values = .floats(integers(data, big) { (x: UInt16) in Float(x) })
  case "i4": values = .doubles(Numbers(integers(data, big) { (x: Int32) in Double(x) }))
  case "u4": values = .doubles(Numbers(integers(data, big) { (x: UInt32) in Double(x) }))
  case "i8": values = .doubles(Numbers(integers(data, big) { (x: Int64) in Double(x) }))
  case "u8": values = .doubles(Numbers(integers(data, big) { (x: UInt64) in Double(x) }))
  case _ where header.isText:
    let numbered = NumberedTexts(data, header)
    (values, texts) = (.doubles(Numbers(numbered.numbers)), numbered.texts)
  case "f2": values = .floats(integers(data, big, singlePrecision))
  case "f4" where !big: values = .floats(floats(data))
  case "f4": values = .floats(integers(data, big) { (x: UInt32) in Float(bitPattern: x) })
  default: values = .doubles(Numbers(integers(data, big) { (x: UInt64) in Double(bitPattern: x) }))
  }
  var array = NPYArray(shape: header.shape, values: values, isInteger: header.isInteger, texts: texts)
  if header.isFortranOrder, header.shape.count > 1 { array.values = inCOrder(array) }
  try requireFinite(array, source: source)
  return array
}

/// Elements of one integer type, each mapped.
@inline(__always)
private func integers<T: FixedWidthInteger, Out>(
  _ data: UnsafeRawBufferPointer, _ isBigEndian: Bool, _ map: (T) -> Out
) -> [Out] {
  let size = MemoryLayout<T>.size
  let count = data.count / size
  return [Out](unsafeUninitializedCapacity: count) { buffer, initialized in
    preferLargePages(UnsafeMutableRawBufferPointer(buffer))
    inParallel(over: count, least: 1 << 18) { range in
      for index in range {
        let raw = data.loadUnaligned(fromByteOffset: index * size, as: T.self)
        buffer.initializeElement(at: index, to: map(isBigEndian ? T(bigEndian: raw) : T(littleEndian: raw)))
      }
    }
    initialized = count
  }
}

/// A number in half precision (IEEE 754's binary16), exactly.
@inline(__always)
func singlePrecision(_ half: UInt16) -> Float {
  let magnitude = UInt32(half & 0x7FFF) << 13
  // With the exponent's bias put right by a product, which is exact for subnormal numbers too.
  let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
  let finite = magnitude < 0x0F80_0000 ? scaled : magnitude | 0x7F80_0000
  return Float(bitPattern: finite | UInt32(half & 0x8000) << 16)
}

/// Elements that are floats of this machine's kind already (little endian, as all that Swift runs on).
private func floats(_ data: UnsafeRawBufferPointer) -> [Float] {
  let size = MemoryLayout<Float>.size
  return [Float](unsafeUninitializedCapacity: data.count / size) { buffer, initialized in
    let memory = UnsafeMutableRawBufferPointer(buffer)
    preferLargePages(memory)
    inParallel(over: data.count / size, least: 1 << 18) { range in
      let bytes = range.lowerBound * size..<range.upperBound * size
      UnsafeMutableRawBufferPointer(rebasing: memory[bytes]).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: data[bytes]))
    }
    initialized = data.count / size
  }
}

/// The values of an array that lies in Fortran order (first index fastest), in C order.
private func inCOrder(_ array: NPYArray) -> RawExamples.Values {
  let rest = array.shape.dropFirst()
  // Offset in Fortran order of each position of the rest, which is enumerated in C order.
  var offsets = [0]
  var stride = array.rows
  for extent in rest {
    offsets = offsets.flatMap { offset in (0..<extent).map { offset + $0 * stride } }
    stride *= extent
  }
  func permute<T>(_ values: [T]) -> [T] {
    [T](unsafeUninitializedCapacity: values.count) { buffer, initialized in
      for row in 0..<array.rows {
        for (column, offset) in offsets.enumerated() {
          buffer.initializeElement(at: row * offsets.count + column, to: values[row + offset])
        }
      }
      initialized = values.count
    }
  }
  switch array.values {
  case .doubles(let values): return .doubles(Numbers(permute(values.array)))
  case .floats(let values): return .floats(permute(values))
  case .bytes(let values): return .bytes(permute(values))
  }
}

private func requireFinite(_ array: NPYArray, source: String) throws(DistsgdError) {
  let index: Int?
  switch array.values {
  case .doubles(let values): index = firstNonFinite(values.array) { part in part.firstIndex { !$0.isFinite } }
  case .floats(let values):
    index = firstNonFinite(values) { part in
      let first = ckernels_first_not_finite(part.baseAddress!, part.count)
      return first < part.count ? first : nil
    }
  case .bytes: index = nil
  }
  guard let index else { return }
  throw notFinite(at: index, array, source: source)
}

func notFinite(at index: Int, _ array: NPYArray, source: String) -> DistsgdError {
  let (row, column) = index.quotientAndRemainder(dividingBy: array.columns)
  let place = array.shape.count == 1 ? "[\(row)]" : "[\(row), \(column)]"
  return DistsgdError(
    .badData, "a number is NaN or infinite, \(source) element \(place): replace it or delete its row")
}

/// The first number that is NaN or infinite; in pieces on all cores.
/// - Parameter search: finds the first in a part.
private func firstNonFinite<T: Sendable>(
  _ values: [T], search: (UnsafeBufferPointer<T>) -> Int?
) -> Int? {
  let pieces = pieceCount(values.count, least: 1 << 18)
  var found = [Int?](repeating: nil, count: pieces)
  values.withUnsafeBufferPointer { values in
    found.withUnsafeMutableBufferPointer { found in
      inParallel(pieces) { piece in
        let range = piece * values.count / pieces..<(piece + 1) * values.count / pieces
        found[piece] = search(UnsafeBufferPointer(rebasing: values[range])).map { range.lowerBound + $0 }
      }
    }
  }
  return found.lazy.compactMap { $0 }.first
}
